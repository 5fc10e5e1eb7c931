from pathlib import Path

import polars as pl

import recsys
from recsys.serving.opened_run import RunShelf, open_catalogue


def test_the_catalogue_of_a_run_is_its_vocabulary(finished: Path) -> None:
    items, changes = open_catalogue(finished)
    assert items.ids.equals(pl.read_parquet(finished / "pairs" / "items.parquet")["item_id"])
    assert changes.vectors.shape == (0, 16)


def test_titles_stand_beside_ids_and_an_id_without_one_stays(finished: Path) -> None:
    table = pl.DataFrame({"item_id": ["i00004", "stranger"]})
    shown = recsys.open_run(str(finished)).with_titles(table)
    assert shown["title"].to_list()[0].startswith("Tale ")
    assert shown["title"].to_list()[1] is None
    assert recsys.open_run(finished).with_titles(table, categories=False).columns == ["item_id", "title"]


def test_a_shelf_holds_what_the_stages_wrote(finished: Path) -> None:
    shelf = RunShelf(finished)
    assert shelf.counts.sum() == pl.read_parquet(finished / "split" / "train.parquet").height
    assert shelf.user_vectors.shape == (len(shelf.users), shelf.towers.spec.dim)
    assert shelf.histories.n_users == len(shelf.users)
    assert shelf.search_columns[0] == "*"
