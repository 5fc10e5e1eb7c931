import json
from pathlib import Path

import pytest


def test_export_names_the_files_it_wrote(recsys, finished: Path, tmp_path: Path) -> None:
    code, out, _ = recsys("export", str(tmp_path / "out"), "--run", str(finished))
    assert code == 0
    assert all(Path(line).is_file() for line in out.splitlines()) and len(out.splitlines()) == 4


def test_an_export_into_a_file_is_refused_and_the_file_stays(recsys, finished: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    code, _, err = recsys("export", str(tmp_path / "out"), "--run", str(finished))
    assert code == 2 and "must be a folder or not there yet" in err
    assert (tmp_path / "out").read_text() == "mine"


def test_augment_shows_a_history_beside_two_views_and_as_json(recsys, finished: Path) -> None:
    code, out, _ = recsys("augment", "--user", "u00003", "--run", str(finished))
    assert code == 0 and "train events of user u00003, and two views of them" in out
    assert "history" in out and "view 1: " in out and "view 2: " in out
    _, out, _ = recsys("augment", "--user", "u00003", "--run", str(finished), "--seed", "4", "--json")
    found = json.loads(out)
    assert [len(found["views"]), found["seed"], found["views"][0]["name"]] == [3, 4, "history"]


@pytest.mark.parametrize("command", [("search", "moon"), ("recommend", "u00004"), ("similar", "i00004"), ("export", "out")])
def test_a_run_that_is_not_finished_is_one_sentence(recsys, copy_of: Path, command: tuple[str, ...]) -> None:
    (copy_of / "embed" / "items.npy").unlink()
    code, _, err = recsys(*command, "--run", str(copy_of))
    assert code == 2 and "must be a run with embeddings" in err and "Traceback" not in err
