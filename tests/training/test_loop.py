import math

import numpy as np
import pytest
import torch

from recsys.baselines.popularity import popularity_scores
from recsys.baselines.ranking import same_for_all_ranker
from recsys.baselines.train_matrix import build_baseline_data
from recsys.core.errors import TrainingError
from recsys.index.exact import ExactIndex
from recsys.index.filters import SeenItems
from recsys.inference.embedding import embed_items, embed_users
from recsys.metrics.rank import ndcg
from recsys.sampling.batches import Histories
from recsys.training.loop import Trainer

_NOISY = {"spec": {"dropout": 0.2, "request_drop": 0.1}}


def _weights(trainer):
    return {name: tensor.clone() for name, tensor in trainer.model.state_dict().items()}


def _same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


_QUEUED = {"view_weight": 0.3, "queue_size": 200, "momentum": 0.9, "operators": ["crop", "mask"]}


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        _QUEUED,
        _QUEUED | {"full_softmax_limit": 0},
        {},
        {"full_softmax_limit": 0},
        {"ema_decay": 0.9, "same_target_weight": 0.3, "far_share": 0.5, "popularity_exponent": 1.0},
        {"full_softmax_limit": 0, "ema_decay": 0.9, "same_target_weight": 0.3, "n_popular": 8, "n_hard": 20},
    ],
    ids=["queued views", "sampled queued views", "full", "sampled", "averaged contrast", "sampled averaged contrast"],
)
@pytest.mark.parametrize("stop_behind", [1, 2])
def test_resuming_gives_the_weights_of_an_undisturbed_run_bit_for_bit(build_trainer, tmp_path, changes, stop_behind):
    plain = {"settings": {"n_epochs": 3} | changes} | _NOISY
    undisturbed = build_trainer(**plain)
    records = list(undisturbed.fit())
    first = build_trainer(**plain, checkpoint=tmp_path, fingerprint="this run")
    for record in first.fit():
        if record.epoch == stop_behind:
            break
    torch.manual_seed(123)
    second = build_trainer(**plain, initial=77, checkpoint=tmp_path, fingerprint="this run")
    assert list(second.fit()) == records
    assert _same(_weights(second), _weights(undisturbed))


@pytest.mark.parametrize(
    "spec",
    [
        {"encoder": "hstu"},
        {"encoder": "mean"},
        {"encoder": "gru"},
        {"low_pass_share": 0.5, "n_frequencies": 2},
        {"id_dropout": 0.3, "input_dropout": 0.2},
        {"use_time": False},
    ],
    ids=["hstu", "mean", "gru", "low pass", "dropped ids", "order only"],
)
def test_every_shape_trains_with_request_times_and_resumes_bit_for_bit(build_trainer, some_features, world, tmp_path, spec):
    spec = {"item_features": some_features(len(world.items)), "request_drop": 0.3} | spec
    plain = {"settings": {"n_epochs": 3}, "asked": True, "spec": spec}
    records = list((undisturbed := build_trainer(**plain)).fit())
    assert records[-1].loss < records[0].loss
    next(build_trainer(**plain, checkpoint=tmp_path, fingerprint="this run").fit())
    second = build_trainer(**plain, initial=77, checkpoint=tmp_path, fingerprint="this run")
    assert list(second.fit()) == records
    assert _same(_weights(second), _weights(undisturbed))


def test_without_validation_all_epochs_are_trained_and_the_last_is_kept(build_trainer):
    trainer, after = build_trainer(validation=False, settings={"n_epochs": 4, "patience": 1}, **_NOISY), {}
    records = []
    for record in trainer.fit():
        records.append(record)
        after[record.epoch] = _weights(trainer)
    assert [(record.epoch, record.validation_ndcg, record.is_best) for record in records] == [
        (e, None, True) for e in (1, 2, 3, 4)
    ]
    assert _same(_weights(trainer), after[4])
    assert not _same(after[4], after[3])


@pytest.mark.slow
@pytest.mark.parametrize("stop_behind", [1, 2])
def test_resuming_without_validation_gives_the_weights_of_an_undisturbed_run_bit_for_bit(build_trainer, tmp_path, stop_behind):
    plain = {"validation": False, "settings": {"n_epochs": 3, "patience": 1}} | _NOISY
    undisturbed = build_trainer(**plain)
    records = list(undisturbed.fit())
    for record in build_trainer(**plain, checkpoint=tmp_path, fingerprint="this run").fit():
        if record.epoch == stop_behind:
            break
    second = build_trainer(**plain, initial=77, checkpoint=tmp_path, fingerprint="this run")
    assert list(second.fit()) == records
    assert len(records) == 3
    assert _same(_weights(second), _weights(undisturbed))


def test_without_labels_nothing_is_validated_and_the_last_epoch_is_kept(build_trainer):
    terms = {"has_labels": False, "view_weight": 1.0, "operators": ["crop", "mask"]}
    trainer = build_trainer(settings={"n_epochs": 4, "patience": 1, **terms})
    records = list(trainer.fit())
    assert [record.validation_ndcg for record in records] == [None] * 4
    assert records[-1].is_best and records[-1].loss < records[0].loss


def test_a_finished_run_is_yielded_again_without_a_step(build_trainer, tmp_path):
    first = build_trainer(checkpoint=tmp_path, fingerprint="this run")
    records = list(first.fit())
    second, steps = build_trainer(initial=5, checkpoint=tmp_path, fingerprint="this run"), []
    assert list(second.fit(on_step=steps.append)) == records
    assert steps == []
    assert _same(_weights(first), _weights(second))


def test_a_checkpoint_of_another_run_is_ignored(build_trainer, tmp_path):
    list(build_trainer(settings={"seed": 4}, checkpoint=tmp_path, fingerprint="another run").fit())
    trainer, plain = build_trainer(checkpoint=tmp_path, fingerprint="this run"), build_trainer()
    assert list(trainer.fit()) == list(plain.fit())
    assert _same(_weights(trainer), _weights(plain))


@pytest.mark.parametrize("limit", [10_000, 0], ids=["full", "sampled"])
def test_the_seed_fixes_the_run(build_trainer, limit):
    changes = {"full_softmax_limit": limit}
    runs = [build_trainer(settings=changes | {"seed": seed}, **_NOISY) for seed in (0, 0, 1)]
    records = [list(run.fit()) for run in runs]
    assert records[0] == records[1] != records[2]
    assert _same(_weights(runs[0]), _weights(runs[1]))


def test_the_loss_falls_and_every_target_is_seen_once_an_epoch(build_trainer, world):
    records = list(build_trainer(settings={"n_epochs": 4}).fit())
    assert [record.epoch for record in records] == [1, 2, 3, 4]
    assert records[-1].loss < records[0].loss - 0.3
    n_targets = int((world.histories.train_end - world.histories.offsets[:-1] - 1).sum())
    assert {record.n_targets for record in records} == {n_targets}


def test_the_first_loss_is_near_that_of_guessing(build_trainer, world):
    losses = []
    list(build_trainer(settings={"n_epochs": 1, "learning_rate": 1e-9}, spec={"initial_scale": 0.1}).fit(on_step=losses.append))
    assert losses[0].loss == pytest.approx(math.log(len(world.items)), abs=0.1)


def test_progress_counts_steps_and_targets(build_trainer):
    steps = []
    records = list(build_trainer(settings={"n_epochs": 2}).fit(on_step=steps.append))
    assert [(step.epoch, step.step) for step in steps] == [(e, s) for e in (1, 2) for s in range(1, records[0].n_steps + 1)]
    assert steps[-1].n_targets == records[-1].n_targets
    assert steps[-1].loss == records[-1].loss


def test_the_model_ends_with_the_weights_of_the_best_epoch(build_trainer, monkeypatch):
    values = iter([0.1, 0.3, 0.2, 0.1, 0.4])
    monkeypatch.setattr("recsys.training.loop.validate", lambda *args, **kwargs: next(values))
    trainer, after = build_trainer(settings={"n_epochs": 5, "patience": 2}), {}
    records = []
    for record in trainer.fit():
        records.append(record)
        after[record.epoch] = _weights(trainer)
    assert [record.is_best for record in records] == [True, True, False, False]
    assert _same(_weights(trainer), after[2])
    assert not _same(after[2], after[4])


def test_a_loss_that_is_no_number_stops_and_names_the_step(build_trainer):
    trainer = build_trainer()

    def poison(step):
        if (step.epoch, step.step) == (2, 2):
            trainer.model.item_tower.ids.weight.data.fill_(math.nan)

    with pytest.raises(TrainingError, match=r"a loss of nan .* at epoch 2, step 3; lower \[train\] learning_rate"):
        list(trainer.fit(on_step=poison))


def test_a_log_without_a_next_item_is_refused(world, build_towers, training_settings, cpu):
    lone = Histories(
        item_idx=np.array([0, 1]),
        timestamp=np.array([5, 6]),
        offsets=np.array([0, 1, 2]),
        train_end=np.array([1, 2]),
        validation_time=np.array([-1, -1]),
        request_time=np.array([-1, -1]),
    )
    log_popularity = np.log(np.full(2, 0.5)).astype(np.float32)
    trainer = Trainer(
        build_towers(n_items=2, n_users=2), lone, log_popularity=log_popularity, settings=training_settings(), **cpu
    )
    with pytest.raises(TrainingError, match="must have 2 train events at different times"):
        list(trainer.fit())


def test_the_rate_warms_up_and_falls_to_its_last_share(build_trainer):
    trainer, rates = build_trainer(settings={"n_epochs": 3, "warmup_steps": 4, "learning_rate": 1e-3, "batch_tokens": 64}), []
    list(trainer.fit(on_step=lambda step: rates.append(trainer.optimizers[0].param_groups[0]["lr"])))
    assert rates[0] == pytest.approx(0.25e-3, rel=0.01)
    assert max(rates) == rates[3] <= 1e-3
    assert rates[3:] == sorted(rates[3:], reverse=True)
    assert rates[-1] == pytest.approx(0.1e-3, rel=0.3)


@pytest.fixture(scope="module")
def large_world(build_world):
    return build_world(n_users=300, n_items=150, n_topics=5)


def _test_ndcg(world, lists):
    """Mean NDCG@10 of the test events."""
    hits, n_relevant = [], []
    relevant = dict(zip(world.split.test["user_id"], world.split.test["item_id"], strict=True))
    for user, row in zip(world.users.ids, lists, strict=True):
        if user in relevant:
            hits.append([world.items.ids[int(item)] == relevant[user] for item in row])
            n_relevant.append(1)
    return float(ndcg(np.array(hits), np.array(n_relevant), ks=[10])[:, 0].mean())


@pytest.mark.slow
@pytest.mark.parametrize("limit", [10_000, 0], ids=["full", "sampled"])
def test_trained_towers_beat_the_ndcg_of_popularity_by_0_4(large_world, build_towers, training_settings, cpu, limit):
    world, n_users = large_world, len(large_world.users)
    trainer = Trainer(
        build_towers(n_items=len(world.items), n_users=n_users, dim=32, dropout=0.1),
        world.histories,
        log_popularity=world.log_popularity,
        settings=training_settings(n_epochs=8, learning_rate=1e-2, full_softmax_limit=limit),
        **cpu,
    )
    list(trainer.fit())
    offsets = world.histories.offsets
    users = embed_users(trainer.model, world.histories, np.arange(n_users), held_out="test", batch_tokens=4096, **cpu)
    seen = SeenItems(item_idx=world.histories.item_idx, starts=offsets[:-1], ends=offsets[1:])
    towers = ExactIndex(embed_items(trainer.model, **cpu)).search(users, k=10, seen=seen).item_idx
    data = build_baseline_data(world.split.train, world.split.validation)
    popular = same_for_all_ranker(data.taken, popularity_scores(data)).rank(np.arange(n_users), 10, False).item_idx
    assert _test_ndcg(world, towers) > _test_ndcg(world, popular) + 0.4
