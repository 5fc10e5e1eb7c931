"""Commands about vectors and views: export, augment."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.options import AsJson, Run, console, find_run, print_json, print_table


def export(folder: Annotated[Path, typer.Argument(help="Where to write.")], run: Run = None, as_json: AsJson = False) -> None:
    """Write the vectors of items and users as Parquet and .npy."""
    from recsys.serving.opened_run import open_run

    source = find_run(run)
    written = [str(path) for path in open_run(source).export(folder)]
    if as_json:
        print_json({"run": str(source), "files": written})
        return
    for path in written:
        console.print(path, markup=False, soft_wrap=True)


def augment(
    user: Annotated[str, typer.Option("--user", help="A user id.")],
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other views.")] = 0,
    run: Run = None,
    as_json: AsJson = False,
) -> None:
    """The training history of a user beside two augmented views of it, as contrast between views sees them."""
    from pipelines.commands.augment import augment_history, lay_side_by_side
    from recsys.serving.opened_run import open_run

    folder = find_run(run)
    views, answers = augment_history(folder, user, seed=seed), open_run(folder)
    events = [answers.with_titles(view.events, categories=as_json) for view in views]
    names = [view.name for view in views]
    if as_json:
        shown = [{"name": name, "events": table.to_dicts()} for name, table in zip(names, events, strict=True)]
        print_json({"user_id": user, "run": str(folder), "seed": seed, "views": shown})
        return
    title = f"the last {events[0].height} train events of user {user}, and two views of them"
    print_table(lay_side_by_side(names, events), title=title)


COMMANDS: dict[str, Callable[..., None]] = {"export": export, "augment": augment}
