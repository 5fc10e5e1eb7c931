"""The numbers of `quality.json` are those one counts by hand."""

from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.core.files import read_json, write_json
from recsys.data.interactions import Cleaning
from recsys.data.quality import count_ties, describe_quality
from recsys.data.schema import TIME
from recsys.data.ties import examine_order


def _cleaning(rows: list[tuple[str, str, int]]) -> Cleaning:
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "second"], orient="row")
    log = frame.select("user_id", "item_id", timestamp=(pl.col("second").cast(pl.Int64) * 1_000_000).cast(TIME))
    dropped = {"missing_id": 1, "duplicate": 2, "under_minimum": 0}
    return Cleaning(interactions=log, dropped=dropped, rows_in=len(rows) + 3, ties="file", tie_order=examine_order(log))


_ROWS = [("u", "a", 0), ("u", "b", 0), ("u", "a", 5), ("u", "c", 5), ("v", "a", 5), ("w", "b", 60), ("w", "b", 60)]


def test_every_number_is_the_one_counted_by_hand() -> None:
    assert describe_quality(_cleaning(_ROWS), has_time=True) == {
        "rows_in": 10,
        "rows_out": 7,
        "dropped": {"missing_id": 1, "duplicate": 2, "under_minimum": 0},
        "n_users": 3,
        "n_items": 3,
        "sparsity": pytest.approx(1 - 5 / 9),
        "repeated_pairs": 2,
        "tied_timestamps": 3,
        "ties": "file",
        "tie_order": {
            "n_pairs": 2,
            "fixed": None,
            "fixed_apart": None,
            "ascending": 1.0,
            "ascending_apart": None,
            "agreement": None,
            "n_agreement": 0,
            "is_sorted": False,
        },
        "has_time": True,
        "first_time": "1970-01-01T00:00:00+00:00",
        "last_time": "1970-01-01T00:01:00+00:00",
        "history_length": {"min": 1, "median": 2.0, "p90": 4.0, "max": 4},
    }


def test_without_times_no_moment_is_claimed() -> None:
    quality = describe_quality(_cleaning(_ROWS), has_time=False)
    assert (quality["has_time"], quality["first_time"], quality["last_time"]) == (False, None, None)


def test_the_description_is_json(tmp_path: Path) -> None:
    quality = describe_quality(_cleaning(_ROWS), has_time=True)
    write_json(tmp_path / "quality.json", quality)
    assert read_json(tmp_path / "quality.json") == quality


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("uvw"), st.just("a"), st.integers(0, 4)), max_size=30))
def test_ties_are_counted_within_a_user_only(rows: list[tuple[str, str, int]]) -> None:
    rows = sorted(rows)
    tied = sum(before[0] == after[0] and before[2] == after[2] for before, after in pairwise(rows))
    assert count_ties(_cleaning(rows or [("u", "a", 0)]).interactions) == tied
