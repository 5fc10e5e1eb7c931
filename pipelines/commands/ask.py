"""Questions to a finished run: recommend, similar, search, explain."""

from collections.abc import Callable
from typing import Annotated

import typer

from pipelines.commands.options import (
    AsJson,
    Deny,
    Length,
    Only,
    Run,
    find_run,
    print_json,
    print_table,
    read_categories,
)
from recsys.core.columns import ITEM_ID, SOURCE, USER_ID
from recsys.core.errors import ConfigError, DataError


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
    import polars as pl

    from recsys.serving.opened_run import open_run

    folder, categories = find_run(run), read_categories(only or [])
    if user is not None and (history or attribute):
        raise ConfigError(f"--history and --attribute must stand without a user, got '{user}' too; leave one out")
    if history and attribute:
        raise ConfigError("--history must stand without --attribute, got both; a history says more, leave the attributes out")
    if not (user or history or attribute):
        raise ConfigError("a user id, --history or --attribute must be given, got none; name one")
    answers = open_run(folder)
    if user is None:
        attributes = _read_attributes(attribute) if attribute else None
        found = answers.recommend(history=history or None, attributes=attributes, k=k, only=categories, deny=deny or [])
        newcomer = answers.with_titles(found.drop(USER_ID, SOURCE))
        if as_json:
            print_json({"user_id": None, "run": str(folder), "items": newcomer.to_dicts()})
        else:
            print_table(newcomer, title="recommended to a new user")
        return
    seen = answers.history(user)
    lists = answers.recommend([user], k=k, only=categories, deny=deny or []).drop(USER_ID)
    if lists[SOURCE].n_unique() < 2:
        lists = lists.drop(SOURCE)
    found = answers.with_titles(lists)
    if as_json:
        print_json({"user_id": user, "run": str(folder), "items": found.to_dicts()})
        return
    last = answers.with_titles(pl.DataFrame({ITEM_ID: seen[-5:]}, schema={ITEM_ID: pl.String()}))
    print_table(last, title=f"the last of {len(seen)} items that user {user} has seen")
    print_table(found, title=f"recommended to user {user}, as of before the test events of this run")


def similar(
    item: Annotated[str, typer.Argument(help="An item id.")], k: Length = 10, run: Run = None, as_json: AsJson = False
) -> None:
    """The items nearest to one item."""
    import polars as pl

    from recsys.serving.opened_run import open_run

    folder = find_run(run)
    answers = open_run(folder)
    found = answers.similar(item, k=k)
    if as_json:
        print_json({"item_id": item, "run": str(folder), "items": found.to_dicts()})
        return
    print_table(answers.with_titles(pl.DataFrame({ITEM_ID: [item]})), title="the item")
    print_table(found, title=f"nearest to item {item}")


def search(
    text: Annotated[str, typer.Argument(help="What to look for, in words.")],
    k: Length = 10,
    only: Only = None,
    deny: Deny = None,
    run: Run = None,
    as_json: AsJson = False,
) -> None:
    """The items nearest to a text, from the same index as recommendations."""
    from recsys.serving.opened_run import open_run

    folder = find_run(run)
    found = open_run(folder).search(text, k=k, only=read_categories(only or []), deny=deny or [])
    if as_json:
        print_json({"text": text, "run": str(folder), "items": found.to_dicts()})
        return
    print_table(found, title=f"nearest to '{text}'")


def explain(
    user: Annotated[str, typer.Argument(help="A user id.")],
    item: Annotated[str, typer.Argument(help="An item id.")],
    k: Length = 5,
    run: Run = None,
    as_json: AsJson = False,
) -> None:
    """Because of what: the items in a user's history without which the score of an item would fall most."""
    import polars as pl

    from recsys.serving.opened_run import open_run

    folder = find_run(run)
    answers = open_run(folder)
    found = answers.explain(user, item, k=k)
    if found.is_empty():
        raise DataError(f"explain: user '{user}' must have a history, got an empty one; name another user")
    score, reasons = float(found["score"][0]), found.drop("score")
    if as_json:
        print_json({"user_id": user, "item_id": item, "run": str(folder), "score": score, "because": reasons.to_dicts()})
        return
    print_table(answers.with_titles(pl.DataFrame({ITEM_ID: [item]})), title=f"the item, score {score:.4f} for user {user}")
    print_table(reasons, title="because of: how much the score falls without the item in the history")


def _read_attributes(attributes: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in attributes:
        column, equals, value = text.partition("=")
        if not (column and equals and value) or column in found:
            raise ConfigError(f"--attribute must be column=value, each column once, got '{text}'; such as --attribute gender=F")
        found[column] = value
    return found


COMMANDS: dict[str, Callable[..., None]] = {
    "recommend": recommend,
    "similar": similar,
    "search": search,
    "explain": explain,
}
