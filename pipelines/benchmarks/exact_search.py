"""exact-search: the best 100 of all items for many users, against Faiss' flat index and a plain top-k over the product."""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.benchmarks.bar import Place, Result, at_least
from pipelines.benchmarks.child import run_own
from pipelines.benchmarks.peer import run_peer
from pipelines.benchmarks.vectors import draw_vectors
from recsys.core.files import write_array

NAME = "exact-search"
K = 100
LEAST_RECALL = 0.999
ROUNDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """One catalogue, and how many users ask at once."""

    name: str
    n_items: int
    n_users: int
    over_topk: float | None


SIZES = (
    Size(name="100k", n_items=100_000, n_users=8_192, over_topk=4.0),
    Size(name="1m", n_items=1_000_000, n_users=1_024, over_topk=None),
)


def measure(place: Place) -> Iterator[Result]:
    """Each side in fresh processes by turns, its best time counts."""
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            found = [_measure_once(size, Path(folder), place) for _ in range(ROUNDS)]
        best = {side: min(times[side]["seconds"] for times in found) for side in found[0]}
        ours = size.n_users / best["ours"] if found[0]["ours"]["recall"] >= LEAST_RECALL else None
        what = (
            f"users a second: the best {K} of {size.n_items:,} items in 64 dimensions for {size.n_users:,} users in one call, "
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


def _measure_once(size: Size, folder: Path, place: Place) -> dict[str, dict[str, Any]]:
    paths = {"items": folder / "items.npy", "queries": folder / "queries.npy", "answer": folder / "answer.npy"}
    if not paths["items"].is_file():
        write_array(paths["items"], draw_vectors(size.n_items, seed=1))
        write_array(paths["queries"], draw_vectors(size.n_users, seed=2))
    job = {name: str(path) for name, path in paths.items()} | {"k": K, "n_repeats": 3, "n_threads": os.cpu_count()}
    faiss = run_peer("faiss", "faiss_flat", job, place=place, log=place.log(f"{NAME}-faiss"))
    times = {"faiss": faiss, "ours": run_own("searching", job | {"side": "ours"}, log=place.log(f"{NAME}-ours"))}
    if size.over_topk is not None:
        times["topk"] = run_own("searching", job | {"side": "topk"}, log=place.log(f"{NAME}-topk"))
    return times
