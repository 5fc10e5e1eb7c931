"""exact-search: the best 100 of all items for many users, against Faiss' flat index and a plain top-k over the product."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.benchmarks.bar import Result, Workspace, at_least
from pipelines.benchmarks.child import run_own
from pipelines.benchmarks.peer import run_peer
from pipelines.benchmarks.vectors import draw_between, draw_vectors
from recsys.core.files import read_array, write_array

NAME = "exact-search"
K = 100
LEAST_RECALL = 0.999
ROUNDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """One catalogue, how many users ask at once, and whether the vectors come from a trained model."""

    name: str
    n_items: int
    n_users: int
    over_topk: float | None
    is_trained: bool = False


SIZES = (
    Size(name="100k", n_items=100_000, n_users=8_192, over_topk=4.0),
    Size(name="100k-trained", n_items=100_000, n_users=8_192, over_topk=None, is_trained=True),
    Size(name="1m", n_items=1_000_000, n_users=1_024, over_topk=None),
)


def measure(workspace: Workspace, *, sizes: Sequence[Size] = SIZES) -> Iterator[Result]:
    """Each side in fresh processes by turns, its best time counts. Without a run of ml-100k there are no trained vectors."""
    for size in sizes:
        if size.is_trained and not _trained(workspace, "items").is_file():
            continue
        with tempfile.TemporaryDirectory() as folder:
            found = [_measure_once(size, Path(folder), workspace) for _ in range(ROUNDS)]
        best = {side: min(times[side]["seconds"] for times in found) for side in found[0]}
        ours = size.n_users / best["ours"] if found[0]["ours"]["recall"] >= LEAST_RECALL else None
        what = (
            f"users a second: the best {K} of {size.n_items:,} items in 64 dimensions for {size.n_users:,} users in one call, "
            f"{'drawn between the vectors of the ml-100k run, ' if size.is_trained else ''}"
            f"{os.cpu_count()} threads; recall@{K} against Faiss {found[0]['ours']['recall']:.5f}"
        )
        peers = {"faiss": (f"{NAME}-{size.name}", found[0]["faiss"]["version"], 1.0)}
        if size.over_topk is not None:
            peers["topk"] = (f"{NAME}-{size.name}-topk", found[0]["topk"]["version"], size.over_topk)
        for side, (name, version, limit) in peers.items():
            theirs = size.n_users / best[side]
            yield Result(
                name=name,
                what=what,
                unit="users/s",
                ours=ours,
                peer=theirs,
                peer_version=version,
                ratio=None if ours is None else ours / theirs,
                limits=(at_least("ratio", limit),),
            )


def _measure_once(size: Size, folder: Path, workspace: Workspace) -> dict[str, dict[str, Any]]:
    paths = {"items": folder / "items.npy", "queries": folder / "queries.npy", "answer": folder / "answer.npy"}
    if not paths["items"].is_file():
        for name, n, seed in (("items", size.n_items, 1), ("queries", size.n_users, 2)):
            trained = _trained(workspace, "items" if name == "items" else "users")
            vectors = draw_between(read_array(trained), n, seed=seed) if size.is_trained else draw_vectors(n, seed=seed)
            write_array(paths[name], vectors)
    job = {name: str(path) for name, path in paths.items()} | {"k": K, "n_repeats": 3, "n_threads": os.cpu_count()}
    faiss = run_peer("faiss", "faiss_flat", job, workspace=workspace, log=workspace.log(f"{NAME}-faiss"))
    times = {"faiss": faiss, "ours": run_own("searching", job | {"side": "ours"}, log=workspace.log(f"{NAME}-ours"))}
    if size.over_topk is not None:
        times["topk"] = run_own("searching", job | {"side": "topk"}, log=workspace.log(f"{NAME}-topk"))
    return times


def _trained(workspace: Workspace, side: str) -> Path:
    return workspace.run.parent / "ml-100k" / "embed" / f"{side}.npy"
