"""The command `recsys backtest`: a profile at several moments of its log, as if each had been the present."""

import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from pipelines.commands.options import AsJson, console, print_json
from pipelines.commands.run import run_stage
from pipelines.graph import stages_up_to

if TYPE_CHECKING:
    from recsys.evaluation.backtest import OverCuts

_DAYS = 7.0


def backtest(
    profile: Annotated[str, typer.Argument(help="A profile: your own .toml file, or the name of a shipped one.")],
    cuts: Annotated[int, typer.Option(min=2, help="At how many moments.")] = 3,
    days: Annotated[
        float | None, typer.Option(min=0.01, help="Days of each test, and between the cuts; [split] test_days, or 7.")
    ] = None,
    root: Annotated[Path, typer.Option(help="The folder of all runs.")] = Path("artifacts"),
    as_json: AsJson = False,
) -> None:
    """Train and judge at several cuts of the log, each blind to what came later; interrupted, it goes on where it was."""
    from pipelines.layout import lay_out
    from pipelines.settings.profile import choose_cut, find_profile, read_profile
    from recsys.candidates.facts import RetrieveFacts
    from recsys.core.facts import read_facts
    from recsys.core.files import read_json, write_json
    from recsys.evaluation.backtest import summarise
    from recsys.evaluation.facts import EvaluateFacts
    from recsys.splits.facts import SplitFacts

    asked = read_profile(find_profile(profile))
    window, seen = days or asked.split.test_days or _DAYS, asked.retrieve.seen
    runs, tables, moments = list[Path](), list[list[dict[str, Any]]](), list[str | None]()
    for number in range(cuts):
        chosen = choose_cut(asked, test_days=window, days_left_out=number * window, seen=seen)
        if not as_json:
            console.print(f"[bold]cut {number + 1} of {cuts}[/bold]: {number * window:g} days before the last", soft_wrap=True)
        folder, _ = lay_out(chosen, root, protocol=None, owner_pid=os.getpid())
        for stage in stages_up_to("evaluate"):
            run_stage(folder, stage, quiet=as_json)
        runs.insert(0, folder)
        tables.insert(0, read_json(folder / "evaluate" / "metrics.json"))
        moments.insert(0, read_facts(folder / "split", SplitFacts).cut)
        if seen == "auto":  # earlier cuts are judged as the last one is
            seen = "keep" if read_facts(folder / "retrieve", RetrieveFacts).scope == "all" else "drop"
    model, metric = read_facts(runs[-1] / "evaluate", EvaluateFacts).model, f"ndcg@{asked.evaluate.k}"
    found = summarise(tables, metric=metric)
    path = root / f"{asked.name}-backtest.json"
    told = {
        "metric": metric,
        "model": model,
        "days": window,
        "cuts": [{"run": str(run), "cut": moment} for run, moment in zip(runs, moments, strict=True)],
        "models": [asdict(row) for row in found],
    }
    write_json(path, told)
    if as_json:
        print_json(told)
        return
    _print(found, [str(moment)[:10] for moment in moments], model=model, metric=metric)
    console.print(f"figures     {path}", markup=False, soft_wrap=True)


def _print(found: "list[OverCuts]", moments: list[str], *, model: str, metric: str) -> None:
    """A row a model, a column a cut."""
    table = Table(title=f"{metric.upper()} at each cut", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for name in ("model", *moments, "mean", "lowest", "best at"):
        table.add_column(name, justify="left" if name == "model" else "right", no_wrap=True)
    for row in found:
        cells = ("–" if value is None else f"{value:.4f}" for value in row.values)
        last = (f"{row.mean:.4f}", f"{row.low:.4f}", f"{row.n_best} of {len(moments)}")
        table.add_row(row.model, *cells, *last, style="bold" if row.model == model else None)
    console.print(table)


COMMANDS: dict[str, Callable[..., None]] = {"backtest": backtest}
