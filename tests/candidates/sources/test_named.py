import pytest

from recsys.candidates.sources.named import check_named, named_for
from recsys.core.errors import DataError


@pytest.fixture
def fitted(tmp_path):
    (tmp_path / "all" / "own_history").mkdir(parents=True)
    (tmp_path / "all" / "own_history" / "fitted.json").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (["two_tower", "ease"], "ease must be a baseline of this run, got none; raise .baselines. largest_catalogue"),
        (["als"], 'als must be a baseline of this run, got none; put "als" into .baselines. names, or leave it out'),
        (["fresh"], "need a log with times"),
    ],
)
def test_a_source_that_is_not_there_is_refused_with_its_cure(fitted, sources, message):
    with pytest.raises(DataError, match=message):
        check_named(sources, fitted=fitted, skipped=["ease"], has_time=False)


def test_sources_that_are_there_are_taken(fitted):
    check_named(["two_tower", "item_to_item", "fresh", "own_history"], fitted=fitted, skipped=[], has_time=True)


def test_own_history_is_no_source_of_what_is_new():
    assert named_for(["own_history", "two_tower"], "all") == ["own_history", "two_tower"]
    assert named_for(["own_history"], "new") == ["two_tower"]
