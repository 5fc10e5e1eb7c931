"""Commands about the one space of users, items and texts: search, export, augment."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from pipelines.commands.augment import augment_history, lay_side_by_side
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
from recsys.core.errors import ConfigError
from recsys.serving.embedding_space import EmbeddingSpace
from recsys.serving.run_folder import with_titles


def search(
    text: Annotated[str, typer.Argument(help="What to look for, in words.")],
    k: Length = 10,
    only: Only = None,
    deny: Deny = None,
    run: Run = None,
    as_json: AsJson = False,
) -> None:
    """The items nearest to a text, from the same index as recommendations."""
    folder = find_run(run)
    space = EmbeddingSpace(folder)
    found = space.nearest(space.encode_text([text]), k=k, only=read_categories(only or []), deny=deny or []).drop("query")
    if as_json:
        print_json({"text": text, "run": str(folder), "items": found.to_dicts()})
        return
    print_table(found, title=f"nearest to '{text}'")


def export(
    folder: Annotated[Path, typer.Argument(help="Where to write.")],
    run: Run = None,
) -> None:
    """Write the vectors of items and users as Parquet and .npy."""
    for path in EmbeddingSpace(find_run(run)).export(folder):
        console.print(str(path), markup=False, soft_wrap=True)


def augment(
    user: Annotated[str, typer.Option("--user", help="A user id.")],
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other views.")] = 0,
    run: Run = None,
    as_json: AsJson = False,
) -> None:
    """The training history of a user beside two augmented views of it, as contrast between views sees them."""
    folder = find_run(run)
    views = augment_history(folder, user, seed=seed)
    events = [with_titles(folder, view.events, categories=as_json) for view in views]
    names = [view.name for view in views]
    if as_json:
        shown = [{"name": name, "events": table.to_dicts()} for name, table in zip(names, events, strict=True)]
        print_json({"user_id": user, "run": str(folder), "seed": seed, "views": shown})
        return
    title = f"the last {events[0].height} train events of user {user}, and two views of them"
    print_table(lay_side_by_side(names, events), title=title)


def recommend_to_newcomer(
    folder: Path, history: list[str], attributes: list[str], *, k: int, only: list[str], deny: list[str]
) -> pl.DataFrame:
    """The best items of a user whom train does not know: item_id, rank, score, and what is known of the items.

    Args:
        folder: The run.
        history: Items taken, oldest first; these alone count where there are any.
        attributes: `column=value`.
        k: Length of the list.
        only: `column=value` of items.
        deny: Items to leave out beside those taken.

    Raises:
        ConfigError: Nothing is known of the user.
    """
    space = EmbeddingSpace(folder)
    if history and attributes:
        raise ConfigError("--history must stand without --attribute, got both; a history says more, leave the attributes out")
    if not (history or attributes):
        raise ConfigError("a user id, --history or --attribute must be given, got none; name one")
    vector = space.encode_history(history) if history else space.encode_attributes(_read_attributes(attributes))
    taken = [item for item in history if space.holds(item)]
    found = space.nearest(vector, k=k, only=read_categories(only), deny=[*deny, *taken], are_users=True)
    return found.drop("query")


def _read_attributes(attributes: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in attributes:
        column, equals, value = text.partition("=")
        if not (column and equals and value) or column in found:
            raise ConfigError(f"--attribute must be column=value, each column once, got '{text}'; such as --attribute gender=F")
        found[column] = value
    return found


COMMANDS: dict[str, Callable[..., None]] = {"search": search, "export": export, "augment": augment}
