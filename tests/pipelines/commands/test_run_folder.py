import os
from pathlib import Path

import polars as pl
import pytest

from pipelines.commands.options import find_run
from recsys.core.errors import ArtefactError
from recsys.serving.run_folder import open_catalogue, with_titles


def test_the_newest_finished_run_is_taken_unless_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArtefactError, match="make run"):
        find_run(None)
    for age, name in enumerate(("new", "old")):
        path = Path("artifacts") / name / "retrieve" / "manifest.json"
        path.parent.mkdir(parents=True)
        path.touch()
        os.utime(path, (1e9 - age, 1e9 - age))
    assert find_run(None) == Path("artifacts/new")
    assert find_run(Path("artifacts/old")) == Path("artifacts/old")
    with pytest.raises(ArtefactError, match="elsewhere must be a run folder, got none"):
        find_run(Path("elsewhere"))


def test_the_catalogue_of_a_run_is_its_vocabulary(finished: Path) -> None:
    items, changes = open_catalogue(finished)
    assert items.ids.equals(pl.read_parquet(finished / "pairs" / "items.parquet")["item_id"])
    assert changes.vectors.shape == (0, 16)


def test_titles_stand_beside_ids_and_an_id_without_one_stays(finished: Path) -> None:
    shown = with_titles(finished, pl.DataFrame({"item_id": ["i00004", "stranger"]}))
    assert shown["title"].to_list()[0].startswith("Tale ")
    assert shown["title"].to_list()[1] is None


def test_texts_alone_are_added_if_asked(finished: Path) -> None:
    shown = with_titles(finished, pl.DataFrame({"item_id": ["i00004"]}), categories=False)
    assert shown.columns == ["item_id", "title"]
