import pytest

from pipelines.benchmarks.bar import Limit, Result, Workspace, at_least, at_most, in_words, within


def result(*limits: Limit, ratio: float | None = 8.00004, ours: float | None = 123_456.0) -> Result:
    return Result(
        name="speed", what="a run", unit="1/s", ours=ours, peer=7.0, peer_version="Peer 1", ratio=ratio, limits=limits
    )


@pytest.mark.parametrize(("limit", "inside", "outside"), [(at_least("ratio", 8), 8.1, 7.9), (at_most("ratio", 8), 7.9, 8.1)])
def test_a_limit_holds_in_its_direction_and_on_itself(limit: Limit, inside: float, outside: float) -> None:
    assert limit.holds(inside)
    assert limit.holds(8)
    assert not limit.holds(outside)
    assert not limit.holds(None)


def test_a_result_says_what_the_contract_names_and_no_more() -> None:
    assert result(at_least("ratio", 8)).as_dict() == {
        "name": "speed",
        "what": "a run",
        "ours": 123_500.0,
        "peer": 7.0,
        "peer_version": "Peer 1",
        "unit": "1/s",
        "ratio": 8.0,
        "bar": "ratio >= 8",
        "holds": True,
    }


def test_rounding_lifts_nothing_over_its_bar() -> None:
    almost = result(at_least("ratio", 8), ratio=7.99999).as_dict()
    assert (almost["ratio"], almost["holds"]) == (8.0, False)


def test_all_limits_must_hold() -> None:
    both = result(at_most("ours", 1.5), at_least("ratio", 20), ours=1.0, ratio=19.0)
    assert both.bar == "ours <= 1.5 and ratio >= 20"
    assert not both.holds
    assert result(at_most("ours", 1.5), at_least("ratio", 19), ours=1.0, ratio=19.0).holds


def test_what_was_not_reached_is_null_and_does_not_hold() -> None:
    missing = result(at_most("ours", 1.5), ours=None, ratio=None).as_dict()
    assert (missing["ours"], missing["ratio"], missing["holds"]) == (None, None, False)


def test_settings_are_told_by_name() -> None:
    assert in_words({"dim": 64, "dropout": 0.2}) == "dim 64, dropout 0.2"


def test_jobs_name_the_files_of_the_split(nowhere: Workspace) -> None:
    assert nowhere.part("train") == str(nowhere.run / "split" / "train.parquet")


@pytest.mark.parametrize(("ours", "holds"), [(1.5, True), (2.0, True), (2.1, False)])
def test_a_bar_without_a_peer_is_held_against_its_limit(ours: float, holds: bool) -> None:
    result = within(2.0, name="x", what="y", unit="GB", ours=ours)
    assert (result.peer, result.ratio, result.holds) == (2.0, ours / 2, holds)
