import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.layout import lay_out, main
from pipelines.settings.profile import read_profile
from recsys.core.errors import BusyError, ConfigError

LOG = 'name = "x"\n[ingest]\nsource = "files"\ninteractions = "log.csv"\n'


@pytest.fixture
def profile(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "own.toml"
        path.write_text(text)
        return path

    return write


def test_only_the_table_whose_value_changed_is_written_again(profile: Callable[[str], Path], tmp_path: Path) -> None:
    folder, _ = lay_out(read_profile(profile(LOG)), tmp_path, protocol=None, owner_pid=None)
    before = {path.name: path.stat().st_mtime_ns for path in (folder / "config").iterdir()}
    time.sleep(0.01)
    lay_out(read_profile(profile(LOG + "[train]\nlearning_rate = 0.5\n")), tmp_path, protocol=None, owner_pid=None)
    after = {path.name: path.stat().st_mtime_ns for path in (folder / "config").iterdir()}
    assert [name for name in before if before[name] != after[name]] == ["train.json"]


def test_a_changed_input_file_is_ingested_again(profile: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("a\n")
    own = profile(LOG)
    folder, _ = lay_out(read_profile(own), tmp_path, protocol=None, owner_pid=None)
    before = (folder / "config" / "ingest.json").read_text()
    (tmp_path / "log.csv").write_text("a,b\n")
    lay_out(read_profile(own), tmp_path, protocol=None, owner_pid=None)
    assert (folder / "config" / "ingest.json").read_text() != before


def test_a_changed_list_of_ids_is_retrieved_again_but_not_ingested(profile: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "deny.txt").write_text("a\n")
    own = profile(LOG + '[retrieve]\ndeny = "deny.txt"\n')
    folder, _ = lay_out(read_profile(own), tmp_path, protocol=None, owner_pid=None)
    before = {path.name: path.read_text() for path in (folder / "config").iterdir()}
    assert str(tmp_path / "deny.txt") in before["retrieve.json"]
    (tmp_path / "deny.txt").write_text("a\nb\n")
    lay_out(read_profile(own), tmp_path, protocol=None, owner_pid=None)
    after = {path.name: path.read_text() for path in (folder / "config").iterdir()}
    assert [name for name in before if before[name] != after[name]] == ["retrieve.json"]


def test_a_missing_list_of_ids_stops_before_any_work(profile: Callable[[str], Path], tmp_path: Path) -> None:
    own = read_profile(profile(LOG + '[retrieve]\nallow = "gone.csv"\n'))
    with pytest.raises(ConfigError, match=r"retrieve\.allow must name a file of ids, got none at .*gone\.csv"):
        lay_out(own, tmp_path / "artifacts", protocol=None, owner_pid=None)


def test_changes_of_the_catalogue_and_for_rules_about_time_the_day_bring_other_candidates(
    profile: Callable[[str], Path], tmp_path: Path
) -> None:
    own = read_profile(profile(LOG + '[retrieve]\navailable_until = "end"\n'))
    folder, _ = lay_out(own, tmp_path, protocol=None, owner_pid=None)
    before = json.loads((folder / "config" / "retrieve.json").read_text())
    assert before["day"] is not None
    fixed = read_profile(profile(LOG + '[retrieve]\navailable_until = "end"\nnow = "2026-01-01"\n'))
    lay_out(fixed, tmp_path, protocol=None, owner_pid=None)
    assert json.loads((folder / "config" / "retrieve.json").read_text())["day"] is None
    (folder / "changes").mkdir()
    (folder / "changes" / "changes.parquet").write_text("x")
    lay_out(own, tmp_path, protocol=None, owner_pid=None)
    assert json.loads((folder / "config" / "retrieve.json").read_text())["files"] != before["files"]


def test_another_protocol_is_a_run_of_its_own(profile: Callable[[str], Path], tmp_path: Path) -> None:
    own = read_profile(profile(LOG + '[split]\nalso = ["temporal", "leave_last_out"]\n'))
    folder, also = lay_out(own, tmp_path, protocol=None, owner_pid=None)
    other, none = lay_out(own, tmp_path, protocol="temporal", owner_pid=None)
    assert (folder.name, also) == ("x", ["temporal"])
    assert (other.name, none) == ("x-temporal", [])
    assert json.loads((other / "config" / "split.json").read_text())["settings"]["protocol"] == "temporal"


def test_a_protocol_that_the_profile_does_not_allow_lays_out_nothing(profile: Callable[[str], Path], tmp_path: Path) -> None:
    own = read_profile(profile(LOG + "[split]\nvalidation = false\n"))
    with pytest.raises(ConfigError, match="validation must be true"):
        lay_out(own, tmp_path / "artifacts", protocol="temporal", owner_pid=None)
    assert not (tmp_path / "artifacts").exists()


def test_a_second_living_owner_is_refused(profile: Callable[[str], Path], tmp_path: Path) -> None:
    own = read_profile(profile(LOG))
    lay_out(own, tmp_path, protocol=None, owner_pid=os.getppid())
    with pytest.raises(BusyError, match=f"process {os.getppid()} is at work there"):
        lay_out(own, tmp_path, protocol=None, owner_pid=os.getpid())


def test_the_command_prints_folder_and_further_protocols(
    profile: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = profile(LOG + '[split]\nalso = ["temporal"]\n')
    main([str(own), "--root", str(tmp_path / "a")])
    assert capsys.readouterr().out.split() == [str(tmp_path / "a" / "x"), "temporal"]


def test_the_command_ends_with_code_2_on_a_wrong_profile(
    profile: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main([str(profile("x = 1"))])
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_files_behind_a_glob_in_a_folder_name_are_watched(profile: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "logs" / "monday").mkdir(parents=True)
    (tmp_path / "logs" / "monday" / "part.csv").write_text("a\n")
    folder, _ = lay_out(
        read_profile(profile(LOG.replace("log.csv", "logs/*/part.csv"))), tmp_path, protocol=None, owner_pid=None
    )
    watched = json.loads((folder / "config" / "ingest.json").read_text())["files"]
    assert list(watched) == [str(tmp_path / "logs" / "monday" / "part.csv")]


def test_an_unknown_protocol_is_answered_in_one_sentence(
    profile: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(profile(LOG)), "--root", str(tmp_path / "artifacts"), "--protocol", "random"]
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "PROTOCOL=random: split.protocol must be 'leave_last_out' or 'temporal', got 'random'" in error
