"""The console command `recsys`: ask a finished run, or check the machine."""

import importlib.metadata
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from rich.console import Console

from pipelines.commands.options import (
    AsJson,
    Deny,
    Length,
    Only,
    Run,
    console,
    find_run,
    print_json,
    print_table,
    read_categories,
)
from pipelines.commands.sets import COMMANDS as SET_COMMANDS
from pipelines.commands.space import COMMANDS as SPACE_COMMANDS
from pipelines.commands.space import recommend_to_newcomer
from pipelines.commands.summary import print_summary
from pipelines.settings.profile import shipped_profiles
from recsys.candidates.item_rules import ItemRules, allowed_items
from recsys.candidates.new_items import read_all_items
from recsys.core.columns import ITEM_ID, USER_ID
from recsys.core.errors import ConfigError, RecsysError
from recsys.serving.explanation import explain_item
from recsys.serving.run_folder import open_retriever, with_titles

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)


@app.command()
def recommend(
    user: Annotated[str | None, typer.Argument(help="A user id; none for a new user.")] = None,
    k: Length = 10,
    only: Only = None,
    deny: Deny = None,
    history: Annotated[
        list[str] | None, typer.Option(help="An item that a new user took; again for more, oldest first.")
    ] = None,
    attribute: Annotated[list[str] | None, typer.Option(help="column=value of a new user; again for more.")] = None,
    run: Run = None,
    as_json: AsJson = False,
) -> None:
    """The best unseen items of one user, with what the user saw last; or of a new user, by items taken or by attributes."""
    folder = find_run(run)
    if user is None:
        newcomer = recommend_to_newcomer(folder, history or [], attribute or [], k=k, only=only or [], deny=deny or [])
        if as_json:
            print_json({"user_id": None, "run": str(folder), "items": newcomer.to_dicts()})
        else:
            print_table(newcomer, title="recommended to a new user")
        return
    if history or attribute:
        raise ConfigError(f"--history and --attribute must stand without a user, got '{user}' too; leave one out")
    retriever = open_retriever(folder)
    seen = retriever.history(user)
    rules = ItemRules(deny=deny or [], categories=read_categories(only or []))
    allowed = allowed_items(rules, read_all_items(folder), items=retriever.items)
    answer = retriever.recommend([user], k=k, allowed=allowed)
    found = with_titles(folder, answer.drop(USER_ID))
    if as_json:
        print_json({"user_id": user, "run": str(folder), "items": found.to_dicts()})
        return
    last = with_titles(folder, pl.DataFrame({ITEM_ID: seen[-5:]}, schema={ITEM_ID: pl.String()}))
    print_table(last, title=f"the last of {len(seen)} items that user {user} has seen")
    print_table(found, title=f"recommended to user {user}, as of before the test events of this run")


@app.command()
def similar(
    item: Annotated[str, typer.Argument(help="An item id.")], k: Length = 10, run: Run = None, as_json: AsJson = False
) -> None:
    """The items nearest to one item."""
    folder = find_run(run)
    found = with_titles(folder, open_retriever(folder).similar(item, k=k))
    if as_json:
        print_json({"item_id": item, "run": str(folder), "items": found.to_dicts()})
        return
    print_table(with_titles(folder, pl.DataFrame({ITEM_ID: [item]})), title="the item")
    print_table(found, title=f"nearest to item {item}")


@app.command()
def explain(
    user: Annotated[str, typer.Argument(help="A user id.")],
    item: Annotated[str, typer.Argument(help="An item id.")],
    k: Length = 5,
    run: Run = None,
    as_json: AsJson = False,
) -> None:
    """Because of what: the items in a user's history without which the score of an item would fall most."""
    folder = find_run(run)
    score, reasons = explain_item(folder, user, item)
    reasons = with_titles(folder, reasons.head(k))
    if as_json:
        print_json({"user_id": user, "item_id": item, "run": str(folder), "score": score, "because": reasons.to_dicts()})
        return
    print_table(with_titles(folder, pl.DataFrame({ITEM_ID: [item]})), title=f"the item, score {score:.4f} for user {user}")
    print_table(reasons, title="because of: how much the score falls without the item in the history")


@app.command()
def summary(run: Run = None) -> None:
    """The verdict, the table and the paths of a finished run."""
    print_summary(find_run(run))


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Check Python, packages, processor, disk and data, and say what to do where something is wrong."""
    from recsys.inference.precision import choose_device, choose_dtype

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
        print_json({name: {"found": found, "ok": ok} for name, (found, ok, _) in checks.items()})
    else:
        for name, (found, ok, remedy) in checks.items():
            mark = "[green]ok[/green]  " if ok else "[red]bad[/red] "
            console.print(f"{mark}{name:<12} {found}{'' if ok else f'; {remedy}'}", soft_wrap=True)
    if not all(ok for _, ok, _ in checks.values()):
        raise typer.Exit(1)


for name, command in (SET_COMMANDS | SPACE_COMMANDS).items():
    app.command(name=name)(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; errors of users end in one sentence and exit code 2."""
    try:
        app(args=None if arguments is None else list(arguments), prog_name="recsys")
    except RecsysError as error:
        Console(stderr=True, highlight=False).print(f"error: {error}", style="red", markup=False, soft_wrap=True)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
