"""metrics-speed: all metrics at all list lengths for many users, against ranx after it has compiled."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pipelines.benchmarks.bar import Result, Workspace, at_least, within
from pipelines.benchmarks.child import run_own
from pipelines.benchmarks.peer import run_peer
from recsys.core.files import write_array
from recsys.core.random import rng_for

NAME = "metrics-speed"
KS = (1, 5, 10, 20, 50, 100)
WIDTH, N_ITEMS, N_RELEVANT = 100, 50_000, 10
N_USERS, N_PEER_USERS = 1_000_000, 50_000
BOOTSTRAP_USERS, BOOTSTRAP_SAMPLES, BOOTSTRAP_SECONDS = 100_000, 2_000, 10.0


def measure(workspace: Workspace, *, n_users: int = N_USERS, n_peer_users: int = N_PEER_USERS) -> Iterator[Result]:
    """Ours for all users; ranx, whose dictionaries of as many lists fit in no memory, for the first of them. Users a second."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _draw(folder, n_users)
        job = {"lists": str(folder / "lists.npy"), "relevant": str(folder / "relevant.npy"), "ks": list(KS)}
        theirs = run_peer(
            "ranx", "ranx_metrics", job | {"n_users": n_peer_users}, workspace=workspace, log=workspace.log(f"{NAME}-ranx")
        )
        sample = {"bootstrap_users": min(n_users, BOOTSTRAP_USERS), "bootstrap_samples": BOOTSTRAP_SAMPLES}
        ours = run_own(
            "judging", job | sample | {"checked": theirs["means"], "n_checked": n_peer_users}, log=workspace.log(NAME)
        )
    speeds = None if ours["largest_difference"] > 1e-9 else n_users / ours["seconds"], n_peer_users / theirs["seconds"]
    yield Result(
        name=NAME,
        what=f"users a second: HR, recall, precision, NDCG, MRR and MAP at {len(KS)} list lengths and R-precision, lists of "
        f"{WIDTH} out of {N_ITEMS:,} items and {N_RELEVANT} relevant ones, {n_users:,} users, {n_peer_users:,} for ranx; "
        "ranx without compilation and without building its dictionaries, ours with the search for hits and rank-biased "
        f"precision; largest difference of a mean {ours['largest_difference']:.1e}",
        unit="users/s",
        ours=speeds[0],
        peer=speeds[1],
        peer_version=theirs["version"],
        ratio=None if speeds[0] is None else speeds[0] / speeds[1],
        limits=(at_least("ratio", 5.0),),
    )
    yield within(
        BOOTSTRAP_SECONDS,
        name=f"{NAME}-bootstrap",
        what=f"{BOOTSTRAP_SAMPLES:,} bootstrap samples of {len(ours['metrics'])} figures, {sample['bootstrap_users']:,} users",
        unit="s",
        ours=ours["bootstrap_seconds"],
    )


def _draw(folder: Path, n_users: int) -> None:
    """Lists of different items, and relevant items of which some are in them."""
    rng = rng_for(0, NAME)
    first, step = rng.integers(0, N_ITEMS, (n_users, 1)), rng.integers(1, 330, (n_users, 1))
    write_array(folder / "lists.npy", ((first + step * np.arange(WIDTH)) % N_ITEMS).astype(np.int32))
    ranks = rng.integers(0, WIDTH // 2, (n_users, 1)) + rng.integers(1, N_RELEVANT, (n_users, 1)) * np.arange(N_RELEVANT)
    write_array(folder / "relevant.npy", ((first + step * ranks) % N_ITEMS).astype(np.int32))
