from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsys.core.files import write_array
from recsys.retrieval.seen import read_seen

_HISTORIES = [[0, 1, 2], [3], [], [4, 0]]


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Four users; two of them took items that train does not know, of which one never gets a vector."""
    write_array(tmp_path / "item_idx.npy", np.concatenate(_HISTORIES).astype(np.int32))
    write_array(tmp_path / "offsets.npy", np.array([0, 3, 4, 4, 6]))
    events = {"user_idx": [0, 2, 2, 2], "item_id": ["new", "other", "new", "nowhere"]}
    pl.DataFrame(events, schema={"user_idx": pl.Int64, "item_id": pl.String}).write_parquet(tmp_path / "unknown_events.parquet")
    return tmp_path


def _rows(pairs: Path, users: list[int], *added: str) -> list[list[int]]:
    seen = read_seen(pairs, n_items=5, added_ids=added).of(np.array(users))
    return [seen.row(place).tolist() for place in range(len(users))]


def test_without_new_items_a_user_has_seen_the_history(pairs: Path) -> None:
    assert _rows(pairs, [3, 0, 2]) == [[4, 0], [0, 1, 2], []]


def test_what_was_taken_of_new_items_is_seen_too_under_their_idx(pairs: Path) -> None:
    assert _rows(pairs, [0, 1, 2, 3, 0], "other", "new") == [[0, 1, 2, 6], [3], [5, 6], [4, 0], [0, 1, 2, 6]]
    assert _rows(pairs, [2, 0], "x", "other") == [[6], [0, 1, 2]]
    assert _rows(pairs, [1], "new") == [[3]]


def test_a_run_without_that_table_is_read_as_before(pairs: Path) -> None:
    (pairs / "unknown_events.parquet").unlink()
    assert _rows(pairs, [0, 2], "new") == [[0, 1, 2], []]
