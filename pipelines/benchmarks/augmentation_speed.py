"""augment: two views of all MovieLens-1M histories at once, against the same operators one history at a time."""

from collections.abc import Iterator

from pipelines.benchmarks.bar import Result, Workspace, at_least
from pipelines.benchmarks.child import run_own

NAME = "augment"
JOB = {"history_length": 200, "batch_tokens": 100_000, "n_repeats": 5}


def measure(workspace: Workspace) -> Iterator[Result]:
    """All sides by turns, in one process; the loop over lists, which is how published code does it, is only reported."""
    found = run_own("augmenting", JOB | {"pairs": str(workspace.run / "pairs")}, log=workspace.log(NAME))
    what = (
        f"two views, each by one of crop, mask, reorder, substitute and insert, of all histories of MovieLens-1M, their last "
        f"{JOB['history_length']} events, {found['n_events']:,} in all, to padded tensors with times; medians"
    )
    peers = {
        NAME: ("one_by_one", "the same operators, a Python loop over histories", (at_least("ratio", 20),)),
        f"{NAME}-lists": ("lists", "a Python loop over histories as lists, then padded", ()),
    }
    for name, (side, peer, limits) in peers.items():
        yield Result(
            name=name,
            what=what,
            unit="ms",
            ours=1000 * found["ours"],
            peer=1000 * found[side],
            peer_version=f"{peer}, {found['version']}",
            ratio=found[side] / found["ours"],
            limits=limits,
        )
