import numpy as np
import pytest

from recsys.candidates.seen import SeenByUser

_HISTORIES = [[0, 1, 2], [3], [], [4, 0]]


@pytest.fixture
def seen() -> SeenByUser:
    """Four users; two of them took items that are in no history."""
    offsets = np.array([0, 3, 4, 4, 6])
    return SeenByUser(item_idx=np.concatenate(_HISTORIES), offsets=offsets, beside=np.array([[0, 6], [2, 5], [2, 6]]))


def _rows(seen: SeenByUser, users: list[int]) -> list[list[int]]:
    found = seen.of(np.array(users))
    return [found.row(position).tolist() for position in range(len(users))]


def test_a_user_has_seen_the_history(seen: SeenByUser) -> None:
    assert _rows(seen, [3, 1]) == [[4, 0], [3]]
    assert _rows(SeenByUser(item_idx=seen.item_idx, offsets=seen.offsets), [0, 2]) == [[0, 1, 2], []]


def test_what_was_taken_beside_it_is_seen_too_whoever_is_asked_together(seen: SeenByUser) -> None:
    assert _rows(seen, [0, 1, 2, 3, 0]) == [[0, 1, 2, 6], [3], [5, 6], [4, 0], [0, 1, 2, 6]]
    assert _rows(seen, [2]) == [[5, 6]]
