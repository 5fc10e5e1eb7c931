"""The console command `recsys`: ask a finished run, or check the machine."""

import importlib.metadata
import json
import os
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.audit import find_candidates
from pipelines.audit import verify as verify_folder
from pipelines.explanation import explain_item
from pipelines.profile import shipped_profiles
from pipelines.stage import MANIFEST
from pipelines.summary import print_summary
from recsys.core.columns import ITEM_ID, USER_ID
from recsys.core.errors import ArtefactError, ConfigError, RecsysError
from recsys.data.schema import category_columns, text_columns
from recsys.evaluation.list_comparison import compare_lists
from recsys.retrieval.item_rules import ItemRules, allowed_items
from recsys.retrieval.sets import roll_back
from recsys.serving.retriever import Retriever

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
console = Console(highlight=False)

Run = Annotated[Path | None, typer.Option("--run", help="The run folder; the newest under artifacts/ if left out.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Length = Annotated[int, typer.Option("-k", min=1, help="How many items.")]


@app.command()
def recommend(
    user: Annotated[str, typer.Argument(help="A user id.")],
    k: Length = 10,
    only: Annotated[list[str] | None, typer.Option(help="column=value: items of that category only; again for more.")] = None,
    deny: Annotated[list[str] | None, typer.Option(help="An item id to leave out; again for more.")] = None,
    run: Run = None,
    as_json: AsJson = False,
) -> None:
    """The best unseen items of one user, with what the user saw last."""
    folder = _find_run(run)
    retriever = _open(folder)
    history = retriever.history(user)
    rules = ItemRules(deny=deny or [], categories=_categories(only or []))
    allowed = allowed_items(rules, pl.read_parquet(folder / "ingest" / "items.parquet"), items=retriever.items)
    answer = retriever.recommend([user], k=k, allowed=allowed)
    found = _with_titles(folder, answer.drop(USER_ID))
    if as_json:
        _print_json({"user_id": user, "run": str(folder), "items": found.to_dicts()})
        return
    last = _with_titles(folder, pl.DataFrame({ITEM_ID: history[-5:]}, schema={ITEM_ID: pl.String()}))
    _print_table(last, title=f"the last of {len(history)} items that user {user} has seen")
    _print_table(found, title=f"recommended to user {user}, as of before the test events of this run")


@app.command()
def similar(
    item: Annotated[str, typer.Argument(help="An item id.")], k: Length = 10, run: Run = None, as_json: AsJson = False
) -> None:
    """The items nearest to one item."""
    folder = _find_run(run)
    found = _with_titles(folder, _open(folder).similar(item, k=k))
    if as_json:
        _print_json({"item_id": item, "run": str(folder), "items": found.to_dicts()})
        return
    _print_table(_with_titles(folder, pl.DataFrame({ITEM_ID: [item]})), title="the item")
    _print_table(found, title=f"nearest to item {item}")


@app.command()
def explain(
    user: Annotated[str, typer.Argument(help="A user id.")],
    item: Annotated[str, typer.Argument(help="An item id.")],
    k: Length = 5,
    run: Run = None,
    as_json: AsJson = False,
) -> None:
    """Because of what: the items in a user's history without which the score of an item would fall most."""
    folder = _find_run(run)
    score, reasons = explain_item(folder, user, item)
    reasons = _with_titles(folder, reasons.head(k))
    if as_json:
        _print_json({"user_id": user, "item_id": item, "run": str(folder), "score": score, "because": reasons.to_dicts()})
        return
    _print_table(_with_titles(folder, pl.DataFrame({ITEM_ID: [item]})), title=f"the item, score {score:.4f} for user {user}")
    _print_table(reasons, title="because of: how much the score falls without the item in the history")


@app.command()
def rollback(run: Run = None) -> None:
    """Make the candidate set before the current one current again."""
    folder = _find_run(run)
    now = roll_back(folder / "published")
    console.print(f"current is {now}", markup=False, soft_wrap=True)


@app.command()
def verify(
    folder: Annotated[Path | None, typer.Argument(help="A run folder or a published set.")] = None, as_json: AsJson = False
) -> None:
    """Recompute every hash from data to candidates, and a sample of lists by exact search."""
    checks = verify_folder(_find_run(folder))
    if as_json:
        _print_json([asdict(check) for check in checks])
    for check in [] if as_json else checks:
        mark = "[green]ok[/green]  " if check.is_good else "[red]bad[/red] "
        console.print(f"{mark}{check.name:<12} {escape(check.text)}", soft_wrap=True)
    if not all(check.is_good for check in checks):
        raise typer.Exit(1)


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(help="A run folder, a published set, or a table of candidates.")],
    second: Annotated[Path, typer.Argument(help="The newer one.")],
    k: Length = 10,
    as_json: AsJson = False,
) -> None:
    """What changed between two sets of candidates: overlap, churned users, coverage, popularity."""
    tables = [pl.scan_parquet(find_candidates(path)) for path in (first, second)]
    found = asdict(compare_lists(*tables, k=k))
    if as_json:
        _print_json(found)
        return
    for name, value in found.items():
        cells = value if isinstance(value, tuple) else (value,)
        text = " → ".join(f"{cell:,.4f}" if isinstance(cell, float) else f"{cell:,}" for cell in cells)
        console.print(f"{name.replace('_', ' '):<22}{text}", markup=False)


@app.command()
def summary(run: Run = None) -> None:
    """The verdict, the table and the paths of a finished run."""
    print_summary(_find_run(run))


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Check Python, packages, processor, disk and data, and say what to do where something is wrong."""
    from recsys.training.precision import choose_device, choose_dtype

    device = choose_device("auto")
    version, free = sys.version_info[:2], shutil.disk_usage(Path.cwd()).free / 1e9
    data_dir = os.environ.get("RECSYS_DATA_DIR")
    checks = {
        "python": (f"{version[0]}.{version[1]}", (3, 11) <= version <= (3, 13), "use Python 3.11 to 3.13"),
        "torch": (importlib.metadata.version("torch"), True, ""),
        "device": (f"{device}, {str(choose_dtype('auto', device)).removeprefix('torch.')}", True, ""),
        "processors": (str(os.cpu_count()), True, ""),
        "free disk": (f"{free:.1f} GB", free > 2, "make room: a run needs about 1 GB"),
        "make": (shutil.which("make") or "missing", shutil.which("make") is not None, "install GNU make"),
        "data folder": (
            data_dir or "not set: data are fetched",
            data_dir is None or Path(data_dir).is_dir(),
            "correct RECSYS_DATA_DIR",
        ),
        "tracking": (os.environ.get("MLFLOW_TRACKING_URI", "sqlite in artifacts/"), True, ""),
        "profiles": (", ".join(shipped_profiles()), bool(shipped_profiles()), "install with the configs"),
    }
    if as_json:
        _print_json({name: {"found": found, "ok": ok} for name, (found, ok, _) in checks.items()})
    else:
        for name, (found, ok, remedy) in checks.items():
            mark = "[green]ok[/green]  " if ok else "[red]bad[/red] "
            console.print(f"{mark}{name:<12} {found}{'' if ok else f'; {remedy}'}", soft_wrap=True)
    if not all(ok for _, ok, _ in checks.values()):
        raise typer.Exit(1)


def _find_run(run: Path | None) -> Path:
    if run is not None:
        return run
    found = sorted(Path("artifacts").glob(f"*/retrieve/{MANIFEST}"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise ArtefactError(
            "a finished run must be under artifacts/, got none; start one with `make run`, or name one with --run"
        )
    return found[-1].parent.parent


def _open(folder: Path) -> Retriever:
    places = {name: folder / name for name in ("pairs", "embed", "index")}
    return Retriever(search=folder / "retrieve" / "search", **places)


def _categories(only: list[str]) -> dict[str, list[str]]:
    asked: dict[str, list[str]] = {}
    for text in only:
        column, equals, value = text.partition("=")
        if not (column and equals and value):
            raise ConfigError(f"--only must be column=value, got '{text}'; such as --only genre=Drama")
        asked.setdefault(column, []).append(value)
    return asked


def _with_titles(folder: Path, found: pl.DataFrame) -> pl.DataFrame:
    """Add text and categories of the items, where the run has them."""
    path = folder / "ingest" / "items.parquet"
    if not path.is_file():
        return found
    items = pl.read_parquet(path)
    shown = [pl.col(ITEM_ID), *(pl.col(name) for name in text_columns(items))]
    shown += [pl.col(name).list.join(", ") for name in category_columns(items)]
    return found.join(items.select(shown), on=ITEM_ID, how="left", maintain_order="left")


def _print_table(frame: pl.DataFrame, *, title: str) -> None:
    console.print(title, markup=False, style="bold")
    table = Table()
    for name, dtype in frame.schema.items():
        table.add_column(name, justify="right" if dtype.is_numeric() else "left", overflow="fold")
    for row in frame.iter_rows():
        table.add_row(*(f"{cell:.4f}" if isinstance(cell, float) else "" if cell is None else str(cell) for cell in row))
    console.print(table, markup=False)


def _print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))


def main() -> None:
    """Run the command; errors of users end in one sentence and exit code 2."""
    try:
        app()
    except RecsysError as error:
        Console(stderr=True, highlight=False).print(f"error: {error}", style="red", markup=False, soft_wrap=True)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
