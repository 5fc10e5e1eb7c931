"""retrieve-job: candidates of all users with seen items left out, from vectors to Parquet, against implicit's `recommend`."""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.benchmarks.bar import Result, Workspace, at_least, within
from pipelines.benchmarks.child import run_own
from pipelines.benchmarks.peer import run_peer
from pipelines.benchmarks.vectors import write_world
from recsys.core.files import read_array, write_array

NAME = "retrieve-job"
K = 100
LIMIT_GB = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many users and items, how many items each has seen, on how many users implicit is timed, and rounds by turns."""

    name: str
    n_users: int
    n_items: int
    n_seen: int
    n_peer_users: int
    n_rounds: int


SIZES = (
    Size(name="ml-1m", n_users=6_040, n_items=3_706, n_seen=165, n_peer_users=6_040, n_rounds=5),
    Size(name="1m-users", n_users=1_000_000, n_items=100_000, n_seen=50, n_peer_users=20_480, n_rounds=1),
)


def measure(workspace: Workspace) -> Iterator[Result]:
    """The whole stage and the peer's search alone, by turns in fresh processes; the fastest round of each counts."""
    for size in SIZES:
        rounds = [_measure_once(size, workspace) for _ in range(size.n_rounds)]
        ours, theirs = (min(side, key=lambda times: times["seconds"]) for side in zip(*rounds, strict=True))
        yield from _results(size, ours, theirs)


def _measure_once(size: Size, workspace: Workspace) -> tuple[dict[str, Any], dict[str, Any]]:
    with tempfile.TemporaryDirectory() as name:
        folder, log = Path(name), workspace.log(f"{NAME}-{size.name}")
        write_world(folder, n_users=size.n_users, n_items=size.n_items, n_seen=size.n_seen)
        ours = run_own("retrieving", {"run": str(folder), "k": K}, log=log)
        return ours, run_peer("implicit", "implicit_recommend", _peer_job(folder, size), workspace=workspace, log=log)


def _peer_job(folder: Path, size: Size) -> dict[str, Any]:
    users, offsets = read_array(folder / "embed" / "users.npy"), read_array(folder / "pairs" / "offsets.npy")
    n = size.n_peer_users
    write_array(folder / "peer" / "users.npy", np.array(users[:n]))
    write_array(folder / "peer" / "offsets.npy", np.array(offsets[: n + 1]))
    write_array(folder / "peer" / "item_idx.npy", np.array(read_array(folder / "pairs" / "item_idx.npy")[: offsets[n]]))
    paths = {name: str(folder / "peer" / f"{name}.npy") for name in ("users", "offsets", "item_idx")}
    return paths | {"items": str(folder / "embed" / "items.npy"), "k": K, "n_threads": os.cpu_count()}


def _results(size: Size, ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[Result]:
    rate, peer_rate = size.n_users / ours["seconds"], size.n_peer_users / theirs["seconds"]
    what = f"{size.n_users:,} users, {size.n_items:,} items, {size.n_seen} seen items each, {K} candidates"
    yield Result(
        name=f"{NAME}-{size.name}",
        what=f"users a second of the whole stage retrieve, from vectors to Parquet, published: {what}; the peer searches only, "
        f"for {size.n_peer_users:,} of the users, on the same vectors",
        unit="users/s",
        ours=rate,
        peer=peer_rate,
        peer_version=theirs["version"],
        ratio=rate / peer_rate,
        limits=(at_least("ratio", 3),),
    )
    yield Result(
        name=f"{NAME}-{size.name}-share",
        what=f"share of the stage's time in search ({ours['search']:.1f} s) and in writing Parquet "
        f"({ours['write']:.1f} s): {what}",
        unit="share",
        ours=(ours["search"] + ours["write"]) / ours["seconds"],
        peer=None,
        peer_version="none",
        ratio=None,
        limits=(at_least("ours", 0.85),),
    )
    yield within(
        LIMIT_GB,
        name=f"{NAME}-{size.name}-memory",
        what=f"peak resident memory of the stage: {what}",
        unit="GB",
        ours=ours["peak_gb"],
    )
