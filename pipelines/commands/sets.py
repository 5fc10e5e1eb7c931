"""Commands about published candidate sets: rollback, verify."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from pipelines.commands.options import AsJson, Run, claim_run, console, find_run, print_json


def rollback(run: Run = None, as_json: AsJson = False) -> None:
    """Make the candidate set before the current one current again."""
    from recsys.candidates.sets import roll_back

    folder = claim_run(run)
    now = roll_back(folder / "published")
    if as_json:
        print_json({"run": str(folder), "current": str(now)})
        return
    console.print(f"current is {now}", markup=False, soft_wrap=True)


def verify(
    folder: Annotated[Path | None, typer.Argument(help="A run folder or a published set.")] = None, as_json: AsJson = False
) -> None:
    """Recompute every hash from data to candidates, and a sample of lists by exact search."""
    from pipelines.graph import NAMES
    from recsys.serving.audit import verify as verify_folder

    checks = verify_folder(find_run(folder), stages=NAMES)
    if as_json:
        print_json([asdict(check) for check in checks])
    else:
        for check in checks:
            mark = "[green]ok[/green]  " if check.is_good else "[red]bad[/red] "
            console.print(f"{mark}{check.name:<12} {escape(check.text)}", soft_wrap=True)
    if not all(check.is_good for check in checks):
        raise typer.Exit(1)


COMMANDS: dict[str, Callable[..., None]] = {"rollback": rollback, "verify": verify}
