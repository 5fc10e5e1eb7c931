"""Commands about candidate sets and the catalogue: verify, compare, rollback, add-items, delete-items."""

import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from rich.markup import escape

from pipelines.commands.options import AsJson, Length, Run, console, find_run, print_json
from pipelines.graph import NAMES
from recsys.candidates.changes import add_items, check_new_ids, delete_items, read_vectors
from recsys.candidates.new_items import keep_known, like_items, read_new_items
from recsys.candidates.sets import roll_back
from recsys.core.columns import ITEM_ID
from recsys.core.errors import ArtefactError
from recsys.core.files import MANIFEST, read_json, sha256_of
from recsys.core.locks import claim_folder
from recsys.data.schema import CANDIDATES, check_table
from recsys.evaluation.list_comparison import compare_lists
from recsys.serving.audit import find_candidates, find_counts
from recsys.serving.audit import verify as verify_folder
from recsys.serving.embedding_space import EmbeddingSpace
from recsys.serving.run_folder import open_catalogue


def add_items_command(
    file: Annotated[Path, typer.Argument(help="Parquet with item_id and the columns of the items, or with vector.")],
    run: Run = None,
) -> None:
    """Add items without training again, by their texts or by vectors of your own.

    They are found at once beside the index, and are in the candidates from the next `make candidates` on.
    """
    folder = _claim(run)
    items, changes = open_catalogue(folder)
    table = read_new_items(file)
    known = like_items(folder, table)
    if "vector" in table.columns:
        (ids, vectors), scale = read_vectors(file), 1.0
    else:
        ids, vectors = table[ITEM_ID].to_list(), EmbeddingSpace(folder).encode_items(table)
        scale = read_json(folder / "embed" / MANIFEST)["config"]["cold_scale"]
    model, dim = sha256_of(folder / "embed" / "items.npy"), changes.vectors.shape[1]
    check_new_ids(folder / "changes", ids, items=items, model=model)
    keep_known(folder, known)  # first: what is known of an item that is not there does no harm
    add_items(folder / "changes", ids, vectors, items=items, model=model, dim=dim, scale=scale)
    total = len(open_catalogue(folder)[1].added)
    console.print(f"{len(ids):,} items added to {folder}; {total:,} in all", markup=False)


def delete_items_command(ids: Annotated[list[str], typer.Argument(help="Item ids.")], run: Run = None) -> None:
    """Never recommend items again, from now on here, from the next `make candidates` on in the candidates."""
    folder = _claim(run)
    items, changes = open_catalogue(folder)
    delete_items(folder / "changes", ids, items=changes.extend(items))
    console.print(f"{len(set(ids)):,} items deleted from {folder}", markup=False)


def rollback(run: Run = None) -> None:
    """Make the candidate set before the current one current again."""
    folder = _claim(run)
    now = roll_back(folder / "published")
    console.print(f"current is {now}", markup=False, soft_wrap=True)


def verify(
    folder: Annotated[Path | None, typer.Argument(help="A run folder or a published set.")] = None, as_json: AsJson = False
) -> None:
    """Recompute every hash from data to candidates, and a sample of lists by exact search."""
    checks = verify_folder(find_run(folder), stages=NAMES)
    if as_json:
        print_json([asdict(check) for check in checks])
    else:
        for check in checks:
            mark = "[green]ok[/green]  " if check.is_good else "[red]bad[/red] "
            console.print(f"{mark}{check.name:<12} {escape(check.text)}", soft_wrap=True)
    if not all(check.is_good for check in checks):
        raise typer.Exit(1)


def compare(
    first: Annotated[Path, typer.Argument(help="A run folder, a published set, or a table of candidates.")],
    second: Annotated[Path, typer.Argument(help="The newer one.")],
    k: Length = 10,
    as_json: AsJson = False,
) -> None:
    """What changed between two sets of candidates: overlap, churned users, coverage, popularity."""
    tables = [pl.scan_parquet(find_candidates(path)) for path in (first, second)]
    for path, table in zip((first, second), tables, strict=True):
        check_table(table, CANDIDATES, name=str(path))
    found = asdict(compare_lists(*tables, k=k, counts=find_counts(first)))
    if as_json:
        print_json(found)
        return
    for name, value in found.items():
        cells = value if isinstance(value, tuple) else (value,)
        text = " → ".join(f"{cell:,.4f}" if isinstance(cell, float) else f"{cell:,}" for cell in cells)
        console.print(f"{name.replace('_', ' '):<22}{text}", markup=False)


def _claim(run: Path | None) -> Path:
    """The run folder, for this process alone until it ends."""
    folder = find_run(run)
    if not (folder / "pairs").is_dir():
        raise ArtefactError(f"{folder} must be a run folder, got none; name artifacts/<profile> with --run")
    claim_folder(folder, owner_pid=os.getpid())
    return folder


COMMANDS: dict[str, Callable[..., None]] = {
    "rollback": rollback,
    "verify": verify,
    "compare": compare,
    "add-items": add_items_command,
    "delete-items": delete_items_command,
}
