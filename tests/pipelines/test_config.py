import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.config import lay_out, main, read_profile, shipped_profiles
from recsys.core.errors import BusyError, ConfigError

LOG = 'name = "x"\n[ingest]\nsource = "files"\ninteractions = "log.csv"\n'


@pytest.fixture
def profile(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "own.toml"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize("name", shipped_profiles())
def test_every_shipped_profile_is_valid_and_named_as_its_file(name: str) -> None:
    assert read_profile(Path("pipelines/configs") / f"{name}.toml").name == name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (LOG + "[train]\nlearnin_rate = 1.0\n", ["train.learnin_rate", "known key"]),
        (LOG + "[train]\nlearning_rate = -1\n", ["train.learning_rate", "greater than 0", "-1"]),
        (LOG + '[train]\nn_epochs = "ten"\n', ["train.n_epochs", "integer", "'ten'"]),
        (LOG + "[train]\ndropout = 1.5\n", ["train.dropout", "less than 1", "1.5"]),
        (LOG + "[train]\ndim = 30\nn_heads = 4\n", ["train", "multiple", "30"]),
        (LOG + '[split]\nprotocol = "random"\n', ["split.protocol", "leave_last_out", "'random'"]),
        (LOG + "[evaluate]\nks = [10, 500]\n", ["evaluate.ks", "500"]),
        ('name = "x"\n[ingest]\nsource = "files"\n', ["ingest", "interactions", "nothing"]),
        ('name = "../x"\n[ingest]\nsource = "synthetic"\n', ["name", "pattern", "'../x'"]),
        ('name = "raw"\n[ingest]\nsource = "synthetic"\n', ["name", "raw"]),
        ("name = \n", ["must be TOML"]),
    ],
)
def test_a_wrong_profile_is_refused_with_key_rule_and_value(
    profile: Callable[[str], Path], text: str, expected: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        read_profile(profile(text))
    assert "\n" not in str(caught.value)
    assert all(part in str(caught.value) for part in expected), str(caught.value)


def test_a_missing_profile_is_answered_with_the_shipped_ones() -> None:
    with pytest.raises(ConfigError, match=r"no such file; shipped ones: .*ml-100k"):
        read_profile(Path("nowhere.toml"))


def test_relative_paths_are_read_from_the_folder_of_the_profile(profile: Callable[[str], Path], tmp_path: Path) -> None:
    assert read_profile(profile(LOG)).ingest.interactions == str(tmp_path / "log.csv")


def test_cloud_addresses_stay_as_they_are(profile: Callable[[str], Path]) -> None:
    own = profile(LOG.replace("log.csv", "s3://bucket/log.parquet"))
    assert read_profile(own).ingest.interactions == "s3://bucket/log.parquet"


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


def test_another_protocol_is_a_run_of_its_own(profile: Callable[[str], Path], tmp_path: Path) -> None:
    own = read_profile(profile(LOG + '[split]\nalso = ["temporal", "leave_last_out"]\n'))
    folder, also = lay_out(own, tmp_path, protocol=None, owner_pid=None)
    other, none = lay_out(own, tmp_path, protocol="temporal", owner_pid=None)
    assert (folder.name, also) == ("x", ["temporal"])
    assert (other.name, none) == ("x-temporal", [])
    assert json.loads((other / "config" / "split.json").read_text())["settings"]["protocol"] == "temporal"


def test_a_second_living_owner_is_refused(profile: Callable[[str], Path], tmp_path: Path) -> None:
    own = read_profile(profile(LOG))
    lay_out(own, tmp_path, protocol=None, owner_pid=os.getppid())
    with pytest.raises(BusyError, match=f"process {os.getppid()} is at work there"):
        lay_out(own, tmp_path, protocol=None, owner_pid=os.getpid())


def test_the_command_prints_folder_and_further_protocols(
    profile: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own = profile(LOG + '[split]\nalso = ["temporal"]\n')
    monkeypatch.setattr("sys.argv", ["config", str(own), "--root", str(tmp_path / "a")])
    main()
    assert capsys.readouterr().out.split() == [str(tmp_path / "a" / "x"), "temporal"]


def test_the_command_ends_with_code_2_on_a_wrong_profile(
    profile: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["config", str(profile("x = 1"))])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("error: ")
