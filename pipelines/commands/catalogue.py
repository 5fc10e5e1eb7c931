"""Commands about the catalogue of a run: add-items, delete-items."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.options import AsJson, Run, claim_run, console, print_json
from recsys.core.columns import ITEM_ID
from recsys.core.files import MANIFEST, read_json, sha256_of


def add_items_command(
    file: Annotated[Path, typer.Argument(help="Parquet with item_id and the columns of the items, or with vector.")],
    run: Run = None,
    as_json: AsJson = False,
) -> None:
    """Add items without training again, by their texts or by vectors of your own.

    They are found at once beside the index, and are in the candidates from the next `make candidates` on.
    """
    from recsys.candidates.changes import add_items, check_new_ids, read_vectors
    from recsys.candidates.new_items import keep_known, like_items, read_new_items
    from recsys.serving.opened_run import open_catalogue, open_run

    folder = claim_run(run)
    items, changes = open_catalogue(folder)
    table = read_new_items(file)
    known = like_items(folder, table)
    if "vector" in table.columns:
        (ids, vectors), scale = read_vectors(file), 1.0
    else:
        ids, vectors = table[ITEM_ID].to_list(), open_run(folder).encode_items(table)
        scale = read_json(folder / "embed" / MANIFEST)["config"]["cold_scale"]
    model, dim = sha256_of(folder / "embed" / "items.npy"), changes.vectors.shape[1]
    check_new_ids(folder / "changes", ids, items=items, model=model)
    keep_known(folder, known)  # first: what is known of an item that is not there does no harm
    add_items(folder / "changes", ids, vectors, items=items, model=model, dim=dim, scale=scale)
    total = len(open_catalogue(folder)[1].added)
    if as_json:
        print_json({"run": str(folder), "n_added": len(ids), "n_added_in_all": total})
        return
    console.print(f"{len(ids):,} items added to {folder}; {total:,} in all", markup=False)


def delete_items_command(
    ids: Annotated[list[str], typer.Argument(help="Item ids.")], run: Run = None, as_json: AsJson = False
) -> None:
    """Never recommend items again, from now on here, from the next `make candidates` on in the candidates."""
    from recsys.candidates.changes import delete_items
    from recsys.serving.opened_run import open_catalogue

    folder = claim_run(run)
    items, changes = open_catalogue(folder)
    delete_items(folder / "changes", ids, items=changes.extend(items))
    if as_json:
        print_json({"run": str(folder), "n_deleted": len(set(ids))})
        return
    console.print(f"{len(set(ids)):,} items deleted from {folder}", markup=False)


COMMANDS: dict[str, Callable[..., None]] = {"add-items": add_items_command, "delete-items": delete_items_command}
