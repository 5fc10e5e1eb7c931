"""The command behind `make bench`: measure bars, write one JSON file a bar, and end with a table."""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pipelines.benchmarks import (
    augmentation_speed,
    catalogue_memory,
    contrast_terms,
    exact_search,
    filtered_search,
    full_softmax,
    index_choice,
    metrics_speed,
    retrieve_job,
    time_to_quality,
    train_hstu,
    train_memory,
    train_recbole,
    train_transformer,
)
from pipelines.benchmarks.bar import Measure, Result, Workspace
from pipelines.benchmarks.ranking import RANKINGS
from pipelines.benchmarks.ranking import measure as measure_ranking
from pipelines.stages.stage import console
from recsys.core.errors import BenchmarkError, RecsysError
from recsys.core.files import write_json

BENCHMARKS: dict[str, Measure] = {
    "train-transformer": train_transformer.measure,
    "train-hstu": train_hstu.measure,
    "train-recbole": train_recbole.measure,
    "full-softmax": full_softmax.measure,
    "augment": augmentation_speed.measure,
    "train-memory": train_memory.measure,
    "catalogue-memory": catalogue_memory.measure,
    "exact-search": exact_search.measure,
    "filtered-search": filtered_search.measure,
    "retrieve-job": retrieve_job.measure,
    "index-choice": index_choice.measure,
    "metrics-speed": metrics_speed.measure,
    "time-to-quality": time_to_quality.measure,
}
BENCHMARKS |= {ranking.name: partial(measure_ranking, ranking=ranking) for ranking in RANKINGS}
TERMS = {f"terms-{name}": partial(contrast_terms.measure, name=name) for name in contrast_terms.SETS}
BENCHMARKS |= TERMS
ON_REQUEST = frozenset({"time-to-quality", "index-choice", *(ranking.name for ranking in RANKINGS), *TERMS})


def choose(names: Sequence[str]) -> list[str]:
    """The benchmarks named, or all that do not have to be.

    Raises:
        BenchmarkError: There is no benchmark of that name.
    """
    for name in names:
        if name not in BENCHMARKS:
            raise BenchmarkError(f"a benchmark must be one of {', '.join(BENCHMARKS)}, got '{name}'; correct BENCH=")
    return list(names) or [name for name in BENCHMARKS if name not in ON_REQUEST]


def run_benchmarks(names: Sequence[str], *, workspace: Workspace) -> tuple[list[Result], list[str]]:
    """Measure; what cannot be measured is told, and the others go on.

    Returns:
        The results, each written to its file, and the names of those that failed.
    """
    results, failed = list[Result](), list[str]()
    for name in names:
        console.print(f"[bold]{name}[/bold]")
        try:
            for result in BENCHMARKS[name](workspace):
                write_json(workspace.folder / f"{result.name}.json", result.as_dict())
                results.append(result)
        except RecsysError as error:
            console.print(f"error: {error}", markup=False, style="red", soft_wrap=True)
            failed.append(name)
    return results, failed


def build_table(results: Sequence[Result]) -> Table:
    """One row a bar."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for heading in ("bar", "ours", "peer", "ratio", "unit", "must be", ""):
        table.add_column(heading, justify="right" if heading in ("ours", "peer", "ratio") else "left", no_wrap=True)
    for result in results:
        figures = ["–" if value is None else _in_digits(value) for value in (result.ours, result.peer, result.ratio)]
        verdict = {True: "[green]holds[/green]", False: "[red]missed[/red]", None: "reported"}[result.holds]
        limits = "\n".join(str(limit) for limit in result.limits)
        table.add_row(result.name, *figures, result.unit, limits, verdict)
    return table


def _in_digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def main() -> None:
    """`python -m pipelines.benchmarks.run [NAME ...]`."""
    parser = argparse.ArgumentParser(description="Measure bars.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--root", type=Path, default=Path("artifacts"))
    arguments = parser.parse_args()
    root = arguments.root.resolve()
    workspace = Workspace(run=root / "ml-1m-file-order", folder=root / "benchmarks")
    try:
        results, failed = run_benchmarks(choose(arguments.names), workspace=workspace)
    except BenchmarkError as error:
        console.print(f"error: {error}", markup=False, style="red", soft_wrap=True)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        console.print("bench: interrupted; bars that were measured are written", markup=False)
        raise SystemExit(130) from None
    Console(highlight=False).print(build_table(results))
    console.print(f"written to {workspace.folder}", markup=False)
    if failed:
        raise SystemExit(2)


if __name__ == "__main__":
    main()
