from collections.abc import Sequence
from pathlib import Path

import pytest

from pipelines.benchmarks import train_memory
from pipelines.benchmarks.bar import Place
from recsys.core.files import read_json
from recsys.sampling.batches import read_histories


@pytest.mark.parametrize(("peak", "holds"), [(1_900_000_000, True), (2_100_000_000, False)])
def test_one_epoch_of_the_stage_stays_under_two_gigabytes(
    place: Place, monkeypatch: pytest.MonkeyPatch, peak: int, holds: bool
) -> None:
    def run_process(command: Sequence[str], *, log: Path) -> int:
        run, settings = Path(command[-1]), read_json(place.run / "config" / "train.json")["settings"]
        assert command[-2] == "pipelines.train"
        assert read_json(run / "config" / "train.json")["settings"] == settings | {"n_epochs": 1}
        assert read_histories(run / "pairs").n_users == 60
        return peak

    monkeypatch.setattr(train_memory, "run_process", run_process)
    (result,) = train_memory.measure(place)
    assert (result.bar, result.holds, result.unit, result.peer) == ("ours <= 2", holds, "GB", 2.0)
