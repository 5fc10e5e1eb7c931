import numpy as np
import pytest

from recsys.candidates.parts import Parts
from recsys.core.errors import ArtefactError
from recsys.index.nearest import Found, Neighbours


@pytest.fixture
def parts(tmp_path):
    return Parts(folder=tmp_path / "parts", n_rows=10, part_rows=4, k=3)


def _found(n, seed=0):
    rng = np.random.default_rng(seed)
    lists = Neighbours(item_idx=rng.integers(-1, 50, (n, 3)).astype(np.int32), score=rng.random((n, 3)).astype(np.float32))
    return Found(lists=lists, source=rng.integers(-1, 4, (n, 3)).astype(np.int8))


def test_parts_cover_all_rows_once_and_the_last_is_shorter(parts):
    assert len(parts) == 3
    assert [row for part in range(3) for row in parts.rows(part)] == list(range(10))


def test_what_is_written_is_read_back_in_order(parts):
    written = [_found(len(parts.rows(part)), part) for part in range(3)]
    for part in (2, 0, 1):
        parts.write(part, written[part])
    for (rows, found), expected in zip(parts.read_all(), written, strict=True):
        np.testing.assert_array_equal(found.lists.item_idx, expected.lists.item_idx)
        np.testing.assert_array_equal(found.lists.score, expected.lists.score)
        np.testing.assert_array_equal(found.source, expected.source)
        assert len(rows) == len(expected.source)


def test_only_what_is_not_there_is_missing(parts):
    parts.bind({"model": "a"})
    parts.write(1, _found(4))
    assert parts.missing() == [0, 2]
    parts.bind({"model": "a"})
    assert parts.missing() == [0, 2]


@pytest.mark.parametrize("change", ["about", "k", "part_rows", "n_rows"])
def test_parts_of_another_job_are_thrown_away(parts, change):
    parts.bind({"model": "a"})
    parts.write(1, _found(4))
    numbers = {name: getattr(parts, name) for name in ("n_rows", "part_rows", "k")}
    other = Parts(folder=parts.folder, **(numbers | ({change: numbers[change] + 1} if change in numbers else {})))
    other.bind({"model": "b" if change == "about" else "a"})
    assert 1 in other.missing()


def test_a_part_with_another_number_of_lists_is_refused(parts):
    parts.write(2, _found(4))
    with pytest.raises(ArtefactError, match="must hold 2 lists of 3"):
        parts.read(2)
