import os
import socket

import numpy as np
import pytest
import torch
from torch import multiprocessing

from recsys.models.checkpoint import read_tensors, write_tensors
from recsys.models.two_tower import TwoTower
from recsys.objectives.workers import Workers, join_workers
from recsys.training.loop import Trainer

pytestmark = pytest.mark.slow

_LOSSES = {
    "full": {},
    "sampled": {"full_softmax_limit": 0},
    "contrast": {"same_target_weight": 0.5, "ema_decay": 0.9, "far_share": 0.5, "popularity_exponent": 1.0},
    "barlow": {"barlow_weight": 0.5},
    "views": {"view_weight": 0.5},
    "queued views": {"full_softmax_limit": 0, "view_weight": 0.5, "queue_size": 64, "momentum": 0.9},
    "item views": {"full_softmax_limit": 0, "has_labels": False, "item_view_weight": 1.0, "weight_decay": 0.1},
    "text": {"full_softmax_limit": 0, "text_weight": 0.5},
    "sampled contrast": {"full_softmax_limit": 0, "same_target_weight": 0.5, "n_popular": 16, "n_hard": 20},
}


@pytest.fixture(scope="module")
def jobs(world, build_towers, training_settings, no_features, some_features, cpu):
    """What a process needs to build the same trainer as any other, by name of the loss."""
    nothing = no_features(len(world.users))
    data = {"histories": world.histories, "log_popularity": world.log_popularity} | cpu
    rng = np.random.default_rng(0)
    texts = {"texts": rng.normal(size=(len(world.items), 2, 6)).astype(np.float32)}
    spec = build_towers(n_items=len(world.items)).spec
    with_texts = build_towers(n_items=len(world.items), search_dim=6).spec
    return {
        name: {
            "model": {"spec": with_texts if name == "text" else spec, "user_features": nothing}
            | {"item_features": (some_features if name == "item views" else no_features)(len(world.items))},
            "data": data
            | (texts if name == "text" else {})
            | {"settings": training_settings(**{"n_epochs": 1, "learning_rate": 1e-3, "operators": ["crop"]} | changes)},
        }
        for name, changes in _LOSSES.items()
    }


def _train(job, workers):
    torch.manual_seed(0)
    trainer = Trainer(TwoTower(**job["model"]), workers=workers, **job["data"])
    if trainer.model.text_tower is not None:
        trainer.model.text_tower.dropout.p = 0.0  # else each process hides words of its own
    records = list(trainer.fit())
    return trainer.model.state_dict(), records


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _work(rank, port, folder, jobs):
    """One of two processes, as torchrun starts them."""
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    with join_workers(torch.device("cpu")) as workers:
        assert workers.sum(rank + 0.5) == 2.0
        assert workers.first(lambda: 7.0 + rank) == 7.0
        assert workers.first(lambda: None if rank == 0 else 1.0) is None
        for name, job in jobs.items():
            weights, records = _train(job, workers)
            write_tensors(folder / f"{name}-{rank}", weights | {"loss": torch.tensor(records[0].loss)})


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory, jobs):
    """Weights of both processes after one epoch with either loss."""
    folder = tmp_path_factory.mktemp("workers")
    multiprocessing.spawn(_work, args=(_free_port(), folder, jobs), nprocs=2)
    return {name: [read_tensors(folder / f"{name}-{rank}") for rank in range(2)] for name in _LOSSES}


@pytest.mark.parametrize("name", _LOSSES)
def test_two_processes_train_as_one_does(two_processes, jobs, name):
    weights, records = _train(jobs[name], None)
    assert records[0].n_steps > 2
    assert two_processes[name][0]["loss"].item() == pytest.approx(records[0].loss, rel=1e-5)
    for parameter, alone in weights.items():
        torch.testing.assert_close(two_processes[name][0][parameter], alone, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", _LOSSES)
def test_both_processes_end_with_the_same_weights(two_processes, name):
    first, second = two_processes[name]
    assert all(torch.equal(first[parameter], second[parameter]) for parameter in first)


@pytest.mark.parametrize("n_workers", [1, 2, 3])
def test_shares_are_disjoint_and_complete(n_workers):
    rows = list(range(10))
    shares = [rows[Workers(rank=rank, n_workers=n_workers).share()] for rank in range(n_workers)]
    assert sorted(row for share in shares for row in share) == rows


def test_without_torchrun_a_process_is_alone_and_main(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with join_workers(torch.device("cpu")) as workers:
        assert workers == Workers()
        assert workers.is_main
        assert workers.sum(1.5) == 1.5
        assert workers.first(lambda: None) is None
        assert workers.first(lambda: 0.25) == 0.25


def test_alone_gradients_stay_as_they_are():
    model = torch.nn.Linear(2, 1)
    model(torch.ones(1, 2)).sum().backward()
    before = model.weight.grad.clone()
    Workers().sum_gradients(model, row_by_row=None, rows=torch.zeros(0))
    assert torch.equal(model.weight.grad, before)
