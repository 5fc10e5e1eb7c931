import threading

import pytest

from recsys.candidates.sets import changed_files, current_set, list_sets, publish_set, roll_back
from recsys.core.errors import ArtefactError
from recsys.core.files import read_json


@pytest.fixture
def publish(tmp_path):
    """Publish a table with a text in it."""

    def run(text, keep=3):
        path = tmp_path / "candidates.parquet"
        path.unlink(missing_ok=True)
        path.write_text(text)
        return publish_set(tmp_path / "published", [path], about={"text": text}, keep=keep)

    return run


def _text(root):
    return (root / "current" / "candidates.parquet").read_text()


def test_current_is_the_set_published_last(tmp_path, publish):
    publish("a")
    assert _text(tmp_path / "published") == "a"
    last = publish("b")
    assert _text(tmp_path / "published") == "b"
    assert current_set(tmp_path / "published") == last
    assert read_json(last / "set.json")["text"] == "b"


def test_the_last_sets_are_kept_and_numbers_are_not_used_twice(tmp_path, publish):
    names = [publish(text, keep=2).name for text in "abcd"]
    assert names == ["000001", "000002", "000003", "000004"]
    assert [path.name for path in list_sets(tmp_path / "published")] == names[-2:]
    roll_back(tmp_path / "published")
    assert publish("e", keep=2).name == "000005"


def test_a_rollback_skips_what_was_rolled_back_before(tmp_path, publish):
    for text in ("good", "bad"):
        publish(text)
    roll_back(tmp_path / "published")
    publish("third", keep=1)
    roll_back(tmp_path / "published")
    assert _text(tmp_path / "published") == "good"


def test_the_same_files_are_not_published_twice(tmp_path, publish):
    publish("a")
    again = publish("b")
    assert publish("b") == again
    assert [path.name for path in list_sets(tmp_path / "published")] == ["000001", "000002"]
    roll_back(tmp_path / "published")
    assert publish("b") == again
    assert _text(tmp_path / "published") == "b"


def test_a_rollback_goes_one_set_back_each_time_until_none_is_left(tmp_path, publish):
    for text in "abc":
        publish(text)
    for expected in "ba":
        roll_back(tmp_path / "published")
        assert _text(tmp_path / "published") == expected
    with pytest.raises(ArtefactError, match="must keep the set before 000001"):
        roll_back(tmp_path / "published")
    assert _text(tmp_path / "published") == "a"


def test_a_changed_set_is_not_rolled_back_to(tmp_path, publish):
    old = publish("a")
    publish("b")
    (old / "candidates.parquet").write_text("x")
    assert changed_files(old) == ["candidates.parquet"]
    with pytest.raises(ArtefactError, match="nothing was switched"):
        roll_back(tmp_path / "published")
    assert _text(tmp_path / "published") == "b"


def test_a_new_table_in_the_run_does_not_change_a_published_one(tmp_path, publish):
    old = publish("a")
    publish("b")
    assert (old / "candidates.parquet").read_text() == "a"
    assert changed_files(old) == []


@pytest.mark.parametrize("target", [None, "elsewhere", "/etc"])
def test_where_nothing_is_published_it_says_so(tmp_path, target):
    (tmp_path / "published").mkdir()
    if target is not None:
        (tmp_path / "published" / "current").symlink_to(target)
    with pytest.raises(ArtefactError, match="must point to a published set"):
        current_set(tmp_path / "published")


@pytest.mark.slow
def test_a_reader_finds_a_whole_set_at_every_moment(tmp_path, publish):
    publish("a")
    seen, stop = set(), threading.Event()

    def read():
        while not stop.is_set():
            seen.add((current_set(tmp_path / "published") / "candidates.parquet").read_text())

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(30):
        publish("bb", keep=40)
        publish("a", keep=40)
    stop.set()
    reader.join()
    assert seen <= {"a", "bb"}


def test_a_folder_where_the_link_belongs_is_not_overwritten(tmp_path, publish):
    publish("a")
    (tmp_path / "published" / "current").unlink()
    (tmp_path / "published" / "current").mkdir()
    with pytest.raises(ArtefactError, match="must be a link, got a folder"):
        publish("b")
