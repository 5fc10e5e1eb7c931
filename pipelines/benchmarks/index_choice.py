"""index-choice: is the index that the tuner chose as fast as its family can be, and the one of `auto` the fastest of all?"""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipelines.benchmarks.bar import Result, Workspace, at_least
from pipelines.benchmarks.child import run_own
from pipelines.benchmarks.vectors import draw_vectors
from recsys.core.files import write_array

NAME = "index-choice"
N_QUERIES = 500
SIZES = {"10k": 10_000, "100k": 100_000, "1m": 1_000_000}


def measure(workspace: Workspace, *, annoy_items: int = 100_000, sizes: Mapping[str, int] = SIZES) -> Iterator[Result]:
    """Annoy against a dense grid of its own settings; `auto` against every back-end that is installed."""
    found = _run("annoy", annoy_items, workspace)
    yield _result(
        f"{NAME}-annoy",
        found,
        f"queries a second at recall@100 >= 0.99 of {annoy_items:,} items: Annoy as tuned ({found['chosen']}), against the "
        f"fastest of a grid of trees and efforts ({found['best']}), measured by turns",
        limit=0.9,
    )
    for name, n_items in sizes.items():
        found = _run("auto", n_items, workspace)
        yield _result(
            f"{NAME}-auto-{name}",
            found,
            f"queries a second at recall@100 >= 0.99 of {n_items:,} items: what auto chose ({found['chosen']}), against the "
            f"fastest of all that are installed ({found['best']}), measured by turns",
            limit=0.9,
        )


def _run(side: str, n_items: int, workspace: Workspace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_array(folder / "items.npy", draw_vectors(n_items, seed=1))
        write_array(folder / "queries.npy", draw_vectors(N_QUERIES, seed=2))
        job = {"folder": str(folder), "side": side}
        found: dict[str, Any] = run_own("choosing", job, log=workspace.log(f"{NAME}-{side}-{n_items}"))
    return found


def _result(name: str, found: dict[str, Any], what: str, *, limit: float) -> Result:
    return Result(
        name=name,
        what=what,
        unit="queries/s",
        ours=found["ours"],
        peer=found["peer"],
        peer_version=found["best"],
        ratio=found["ours"] / found["peer"],
        limits=(at_least("ratio", limit),),
    )
