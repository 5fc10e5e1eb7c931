"""full-softmax: the loss over the whole catalogue, with its gradients, against its three matrix products alone."""

from collections.abc import Iterator

from pipelines.benchmarks.bar import Result, Workspace, at_most
from pipelines.benchmarks.child import run_own

NAME = "full-softmax"
JOB = {"n_rows": 25_600, "n_items": 3_706, "dim": 64, "chunks": [25_600, 4_096, 1_024, 565, 256], "n_repeats": 15}


def measure(workspace: Workspace) -> Iterator[Result]:
    """Both sides by turns, in one process."""
    seconds = run_own("softmax", JOB, log=workspace.log(NAME))
    yield Result(
        name=NAME,
        what="forward and backward of the full softmax in bfloat16 over 25,600 rows, 3,706 items and 64 dimensions, against "
        "its three matrix products alone in bfloat16, whole or in chunks of rows, whichever is fastest; medians",
        unit="ms",
        ours=1000 * seconds["ours"],
        peer=1000 * seconds["products"],
        peer_version=f"the products alone, {seconds['version']}",
        ratio=seconds["ours"] / seconds["products"],
        limits=(at_most("ratio", 1.4),),
    )
