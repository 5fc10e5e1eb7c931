"""What `make run` ends with: the verdict, a table with intervals, and where everything is."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from pipelines.commands.options import AsJson, Run, console, find_run, print_json
from recsys.core.errors import RecsysError
from recsys.core.facts import read_facts
from recsys.core.files import MANIFEST, read_json
from recsys.evaluation.facts import EvaluateFacts

_SHOWN = ("Split:", "Ties:", "Request time:", "Epoch:")


def print_summary(run: Path, *, since: float | None = None) -> None:
    """Print one run.

    Args:
        run: The run folder.
        since: Seconds since 1970; if no stage has run since, say so.

    Raises:
        ArtefactError: The run is not finished.
    """
    facts, metrics = read_facts(run / "evaluate", EvaluateFacts), read_json(run / "evaluate" / "metrics.json")
    registered = read_json(run / "register" / "registered.json")
    if since is not None and (run / "register" / MANIFEST).stat().st_mtime < since:
        console.print(f"Nothing to do: every stage of {run} is up to date.")
    console.print()
    style = "bold green" if read_json(run / "evaluate" / "comparisons.json")["is_proved"] else "bold red"
    console.print(facts.advice, style=style, markup=False, soft_wrap=True)
    console.print(facts.verdict, markup=False, soft_wrap=True)
    console.print(_table(run.name, facts, metrics))
    for name, what in (("metrics_with_repeats", "with what users took before"), ("metrics_of_new_items", "new items alone")):
        if (path := run / "evaluate" / f"{name}.json").is_file():
            console.print(_table(f"{run.name}, {what}", facts, read_json(path)))
    for line in facts.protocol:
        if line.startswith(_SHOWN):
            console.print(f"protocol    {line}", soft_wrap=True, markup=False)
    for label, path in (
        ("candidates", run / "retrieve" / "candidates.parquet"),
        ("report", run / "evaluate" / "report.html"),
    ):
        console.print(f"{label:<11} {path.resolve()}", soft_wrap=True, markup=False)
    version = f"model '{registered['model']}' version {registered['version']} is {registered['alias']}"
    console.print(f"MLflow run  {registered['run_id']}; {version}", soft_wrap=True, markup=False)
    console.print()


def _table(name: str, facts: EvaluateFacts, metrics: list[dict[str, Any]]) -> Table:
    table = Table(
        title=f"{name}: {metrics[0]['n_users']:,} users, 95 % intervals", title_justify="left", box=SIMPLE_HEAD, pad_edge=False
    )
    table.add_column("model", no_wrap=True)
    for metric in facts.headline:
        table.add_column(metric.upper(), justify="right", no_wrap=True)
    found = {(row["model"], row["metric"]): row for row in metrics}
    for model in dict.fromkeys(row["model"] for row in metrics):
        cells = [found[model, metric] for metric in facts.headline]
        values = [f"{cell['value']:.4f}\n{cell['low']:.3f}–{cell['high']:.3f}" for cell in cells]
        table.add_row(model, *values, style="bold" if model == facts.model else None)
    return table


def summary(run: Run = None, as_json: AsJson = False) -> None:
    """The verdict, the table and the paths of a finished run."""
    folder = find_run(run)
    if not as_json:
        print_summary(folder)
        return
    facts = read_facts(folder / "evaluate", EvaluateFacts)
    print_json(
        {
            "run": str(folder),
            "advice": facts.advice,
            "verdict": facts.verdict,
            "is_proved": read_json(folder / "evaluate" / "comparisons.json")["is_proved"],
            "metrics": read_json(folder / "evaluate" / "metrics.json"),
            "registered": read_json(folder / "register" / "registered.json"),
        }
    )


COMMANDS: dict[str, Callable[..., None]] = {"summary": summary}


def main(arguments: Sequence[str] | None = None) -> None:
    """`python -m pipelines.commands.summary artifacts/<profile>`."""
    parser = argparse.ArgumentParser(description="Print the summary of a finished run.")
    parser.add_argument("run", type=Path)
    parser.add_argument("--since", type=float)
    asked = parser.parse_args(arguments)
    try:
        print_summary(asked.run, since=asked.since)
    except RecsysError as error:
        console.print(f"error: {error}", markup=False, soft_wrap=True)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
