"""filtered-search: a query under a filter that keeps one item in a hundred, against the same query without it."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pipelines.benchmarks.bar import Result, Workspace, at_most
from pipelines.benchmarks.child import run_own
from pipelines.benchmarks.vectors import draw_vectors
from recsys.core.files import write_array

NAME = "filtered-search"


def measure(workspace: Workspace, *, n_items: int = 100_000, n_users: int = 4_096) -> Iterator[Result]:
    """Both in one process; the time to narrow the catalogue counts."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_array(folder / "items.npy", draw_vectors(n_items, seed=1))
        write_array(folder / "queries.npy", draw_vectors(n_users, seed=2))
        job = {part: str(folder / f"{part}.npy") for part in ("items", "queries")}
        job_numbers = {"k": 100, "n_repeats": 3, "n_threads": os.cpu_count()}
        times = run_own("searching", job | job_numbers | {"side": "filtered"}, log=workspace.log(NAME))
    yield Result(
        name=NAME,
        what=f"microseconds a user: the best 100 of the {n_items // 100:,} allowed among {n_items:,} items, exactly, "
        "against the best 100 of all",
        unit="µs",
        ours=1e6 * times["seconds"] / n_users,
        peer=1e6 * times["unfiltered"] / n_users,
        peer_version=f"the same search unfiltered, {times['version']}",
        ratio=times["seconds"] / times["unfiltered"],
        limits=(at_most("ratio", 3),),
    )
