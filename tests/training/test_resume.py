import shutil
from dataclasses import replace

import pytest
import torch

from recsys.core.errors import ArtefactError
from recsys.training.resume import EpochRecord, forget_others, holds_other_run, load_checkpoint, save_checkpoint


def _record(epoch):
    plain = {"loss": 0.1 + 1 / 3 * epoch, "validation_ndcg": 0.2, "scale": 20.0, "n_steps": 5, "n_targets": 100}
    return EpochRecord(epoch=epoch, is_best=epoch == 1, **plain)


class Queue:
    """What an objective carries."""

    def __init__(self, value):
        self.value = torch.tensor(value)

    def state(self):
        return {"queue/vectors": self.value}

    def restore(self, state):
        self.value = state["queue/vectors"]


@pytest.fixture
def build():
    """A tiny model whose optimiser has taken some steps."""

    def run(n_steps, *, seed=0):
        torch.manual_seed(seed)
        model = torch.nn.Linear(3, 2)
        optimizer = torch.optim.AdamW(model.parameters(), fused=True)
        for _ in range(n_steps):
            optimizer.zero_grad()
            model(torch.randn(4, 3)).square().sum().backward()
            optimizer.step()
        return {"model": model, "optimizers": [optimizer], "average": None, "objective": Queue(float(n_steps))}

    return run


@pytest.fixture
def save(tmp_path, build):
    def run(n_epochs, *, fingerprint="this run"):
        state = build(3)
        best = {"weight": torch.full((2, 3), 7.0)}
        records = [_record(epoch) for epoch in range(1, n_epochs + 1)]
        save_checkpoint(tmp_path, **state, best=best, records=records, fingerprint=fingerprint)
        return state, best, records

    return run


def test_weights_moments_best_and_records_come_back_as_they_were(tmp_path, build, save):
    state, best, records = save(2)
    fresh = build(0, seed=9)
    found = load_checkpoint(tmp_path, **fresh, fingerprint="this run")
    assert found[1] == records
    assert torch.equal(found[0]["weight"], best["weight"])
    assert fresh["objective"].value == 3
    for name, tensor in state["model"].state_dict().items():
        assert torch.equal(fresh["model"].state_dict()[name], tensor)
    for number, values in state["optimizers"][0].state_dict()["state"].items():
        for name, value in values.items():
            restored = fresh["optimizers"][0].state_dict()["state"][number][name]
            assert torch.equal(restored, value)
            assert restored.dtype == value.dtype


def test_a_record_without_validation_comes_back(tmp_path, build):
    record = replace(_record(1), validation_ndcg=None)
    save_checkpoint(tmp_path, **build(1), best={}, records=[record], fingerprint="this run")
    assert load_checkpoint(tmp_path, **build(0), fingerprint="this run")[1] == [record]


def test_the_next_step_is_the_same_as_without_a_stop(tmp_path, build, save):
    state, _, _ = save(1)
    fresh = build(0, seed=9)
    load_checkpoint(tmp_path, **fresh, fingerprint="this run")
    for each in (state, fresh):
        each["optimizers"][0].zero_grad()
        each["model"](torch.ones(4, 3)).square().sum().backward()
        each["optimizers"][0].step()
    assert torch.equal(state["model"].weight, fresh["model"].weight)


def test_no_checkpoint_is_none(tmp_path, build):
    assert load_checkpoint(tmp_path / "nothing", **build(0), fingerprint="this run") is None


def test_a_checkpoint_of_another_run_is_ignored_and_nothing_is_loaded(tmp_path, build, save):
    save(1, fingerprint="another run")
    fresh = build(0, seed=9)
    before = fresh["model"].weight.clone()
    assert load_checkpoint(tmp_path, **fresh, fingerprint="this run") is None
    assert torch.equal(fresh["model"].weight, before)


def test_a_later_checkpoint_of_another_run_does_not_hide_this_one(tmp_path, build, save):
    # What a crash leaves between writing this run's first epoch and forgetting the other run's ninth.
    save(9, fingerprint="another run")
    (tmp_path / "epoch-0009").rename(tmp_path / "aside")
    _, _, records = save(1)
    (tmp_path / "aside").rename(tmp_path / "epoch-0009")
    found = load_checkpoint(tmp_path, **build(0), fingerprint="this run")
    assert found is not None
    assert found[1] == records


def test_only_the_last_epoch_is_kept(tmp_path, save):
    for n_epochs in (1, 2, 3):
        save(n_epochs)
    assert [path.name for path in tmp_path.iterdir()] == ["epoch-0003"]


def test_a_half_written_epoch_is_not_resumed_from(tmp_path, build, save):
    _, _, records = save(1)
    (tmp_path / ".partial").mkdir()
    (tmp_path / ".partial" / "model.safetensors").write_bytes(b"half")
    assert load_checkpoint(tmp_path, **build(0), fingerprint="this run")[1] == records


def test_a_damaged_checkpoint_is_refused(tmp_path, build, save):
    save(1)
    (tmp_path / "epoch-0001" / "optimizer-0.safetensors").write_bytes(b"junk")
    with pytest.raises(ArtefactError, match="safetensors"):
        load_checkpoint(tmp_path, **build(0), fingerprint="this run")


def test_what_a_killed_run_left_behind_is_removed_and_the_last_epoch_stays(tmp_path, build, save):
    save(2)
    last = tmp_path / "epoch-0002"
    for name in ("epoch-0001", "epoch-0009"):
        shutil.copytree(last, tmp_path / name)
    records = tmp_path / "epoch-0009" / "records.json"
    records.write_text(records.read_text().replace("this run", "another run"))
    (tmp_path / "epoch-0003").mkdir()
    (tmp_path / ".partial").mkdir()
    forget_others(tmp_path, fingerprint="this run")
    assert [path.name for path in tmp_path.iterdir()] == ["epoch-0002"]
    assert len(load_checkpoint(tmp_path, **build(0), fingerprint="this run")[1]) == 2


def test_epochs_of_another_run_are_noticed(tmp_path, save):
    assert not holds_other_run(tmp_path, fingerprint="this run")
    save(1)
    assert not holds_other_run(tmp_path, fingerprint="this run")
    assert holds_other_run(tmp_path, fingerprint="another run")
