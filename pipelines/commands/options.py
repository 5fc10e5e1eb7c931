"""What the commands share: options, which run is asked, and how answers are shown."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from recsys.core.errors import ArtefactError, ConfigError
from recsys.core.files import MANIFEST
from recsys.core.locks import claim_folder

if TYPE_CHECKING:
    import polars as pl

console = Console(highlight=False)

Run = Annotated[Path | None, typer.Option("--run", help="The run folder; the newest under artifacts/ if left out.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, of errors too.")]
Only = Annotated[list[str] | None, typer.Option(help="column=value: items of that category only; again for more.")]
Deny = Annotated[list[str] | None, typer.Option(help="An item id to leave out; again for more.")]
Length = Annotated[int, typer.Option("-k", min=1, help="How many items.")]


def find_run(run: Path | None) -> Path:
    """The folder named, or the newest finished run, which is then named on the screen.

    Raises:
        ArtefactError: There is none.
    """
    if run is not None:
        if not run.exists():
            raise ArtefactError(f"{run} must be a run folder, got none there; name artifacts/<profile> with --run")
        return run
    found = sorted(Path("artifacts").glob(f"*/retrieve/{MANIFEST}"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise ArtefactError(
            "a finished run must be under artifacts/, got none; start one with `make run` or recsys run, or name one with --run"
        )
    newest = found[-1].parent.parent
    Console(stderr=True, highlight=False).print(
        f"from {newest}, the newest run; name another with --run", markup=False, style="dim", soft_wrap=True
    )
    return newest


def claim_run(run: Path | None) -> Path:
    """The run folder, for this process alone until it ends.

    Raises:
        ArtefactError: It is no run folder.
        BusyError: Another process is at work there.
    """
    folder = find_run(run)
    if not (folder / "pairs").is_dir():
        raise ArtefactError(f"{folder} must be a run folder, got none; name artifacts/<profile> with --run")
    claim_folder(folder, owner_pid=os.getpid())
    return folder


def read_categories(only: list[str]) -> dict[str, list[str]]:
    """What `--only column=value`, given some times, asks for.

    Raises:
        ConfigError: It is no column and value.
    """
    asked: dict[str, list[str]] = {}
    for text in only:
        column, equals, value = text.partition("=")
        if not (column and equals and value):
            raise ConfigError(f"--only must be column=value, got '{text}'; such as --only genre=Drama")
        asked.setdefault(column, []).append(value)
    return asked


def print_table(frame: "pl.DataFrame", *, title: str) -> None:
    """A table for people."""
    console.print(title, markup=False, style="bold")
    table = Table()
    for name, dtype in frame.schema.items():
        table.add_column(name, justify="right" if dtype.is_numeric() else "left", overflow="fold")
    for row in frame.iter_rows():
        table.add_row(*(f"{cell:.4f}" if isinstance(cell, float) else "" if cell is None else str(cell) for cell in row))
    console.print(table, markup=False)


def print_json(value: object) -> None:
    """The same for programs."""
    print(json.dumps(value, ensure_ascii=False, indent=2))
