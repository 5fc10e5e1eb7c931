"""A small synthetic run through all eleven stages, once a session; every stage's test looks at its part."""

import importlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.commands.main import main
from pipelines.graph import NAMES
from pipelines.layout import lay_out
from pipelines.settings.profile import read_profile

PROFILE = """
name = "tiny"
[ingest]
source = "synthetic"
n_users = 150
n_items = 120
n_topics = 6
[pairs]
text_dim = 4
user_attributes = true
[train]
dim = 16
n_epochs = 3
batch_tokens = 256
warmup_steps = 10
learning_rate = 0.004
threads = 1
[index]
backend = "annoy"
k = 20
[retrieve]
sources = ["two_tower"]
k = 40
block_users = 64
[baselines]
k = 40
[evaluate]
k = 5
ks = [5, 20]
n_resamples = 60
"""

RunStage = Callable[[str, Path], None]


def run_stage_in(name: str, folder: Path) -> None:
    room = "stages" if name in NAMES else "experiments"
    importlib.import_module(f"pipelines.{room}.{name}").STAGE.main([str(folder)])


def lay_out_text(text: str, root: Path, protocol: str | None = None) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    path = root / "profile.toml"
    path.write_text(text)
    folder, _ = lay_out(read_profile(path), root / "artifacts", protocol=protocol, owner_pid=None)
    return folder


def change_settings(run: Path, stage: str, **settings: object) -> None:
    """Edit what a stage of a run folder is asked for, as a changed profile would."""
    path = run / "config" / f"{stage}.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"settings": config["settings"] | settings}))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever looks at a whole run is slow: the run has to be made first. The longest file starts first, so that two
    processes end together.
    """
    items.sort(key=lambda item: item.path.name != "test_make.py")
    for item in items:
        if {"finished", "unvalidated"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def run_stage() -> RunStage:
    return run_stage_in


@pytest.fixture
def new_run(tmp_path: Path) -> Callable[..., Path]:
    """Lays out a profile given as text in a folder of its own."""

    def lay(text: str = PROFILE, protocol: str | None = None) -> Path:
        return lay_out_text(text, tmp_path, protocol)

    return lay


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of MLflow without runs: a copy of it takes no seconds to set up."""
    from pipelines.tracking.runs import connect

    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        connect(path.parent, "Default")
    return path


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Path:
    """A finished run that tests only read."""
    return finish(PROFILE, tmp_path_factory.mktemp("finished"), store=empty_store)


@pytest.fixture(scope="session")
def unvalidated(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Path:
    """A finished run without a validation part, with shuffled ties and without times, that tests only read."""
    text = PROFILE.replace("[pairs]", 'ties = "shuffled"\nseed = 4\n[split]\nvalidation = false\n[pairs]')
    text = text.replace("[train]", "[train]\npatience = 1\nuse_time = false")
    return finish(text, tmp_path_factory.mktemp("unvalidated"), store=empty_store)


def finish(text: str, root: Path, *, store: Path) -> Path:
    folder = lay_out_text(text, root)
    shutil.copy(store, folder.parent)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        for stage in NAMES:
            run_stage_in(stage, folder)
    return folder


@pytest.fixture
def copy_of(finished: Path, empty_store: Path, tmp_path: Path) -> Path:
    """The finished run, to be spoiled."""
    folder = tmp_path / "artifacts" / finished.name
    shutil.copytree(finished, folder, symlinks=True, ignore=shutil.ignore_patterns(".owner*"))
    shutil.copy(empty_store, folder.parent)
    return folder


@pytest.fixture(scope="session")
def manifest_of(finished: Path) -> Callable[[str], dict[str, object]]:
    def read(stage: str) -> dict[str, object]:
        return json.loads((finished / stage / "manifest.json").read_text())

    return read


@pytest.fixture
def recsys(capsys: pytest.CaptureFixture[str]):
    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        out, err = capsys.readouterr()
        return caught.value.code, out, err

    return call
