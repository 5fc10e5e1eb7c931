"""The queue of targets: what it adds to the sample, and what it must not."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from recsys.objectives.encoded_items import encode_items
from recsys.objectives.key_queue import KeyQueue
from recsys.objectives.next_item import Negatives, NextItem
from recsys.objectives.term import Context, Part
from recsys.objectives.workers import Workers
from recsys.sampling.batches import build_batch, plan_epoch
from tests import oracles

CPU = torch.device("cpu")


@pytest.fixture
def batch(world):
    windows = plan_epoch(world.histories, history_length=20, batch_tokens=64, rng=np.random.default_rng(0))[0]
    return build_batch(world.histories, windows, use_time=True)


@pytest.fixture
def towers(world, build_towers):
    return build_towers(n_items=len(world.items), n_users=len(world.users)).eval()


def _queue(model, idx, size):
    queue = KeyQueue(size, model.spec.dim, device=CPU)
    queue.push(model.encode_items(idx), idx)
    return queue


def _loss(model, batch, world, training_settings, *, negative_idx, queue, limit=0):
    counts = {"n_uniform": len(negative_idx), "n_in_batch": 0}
    context = Context(
        values=training_settings(full_softmax_limit=limit, **counts).values,
        model=model,
        histories=world.histories,
        log_popularity=world.log_popularity,
        device=CPU,
        texts=None,
        is_full=limit > 0,
    )
    term = NextItem.build(context)
    term.queue = queue
    items, n_targets = encode_items(model, None, device=CPU), int((batch.target_idx >= 0).sum())
    part = Part(model=model, batch=batch, items=items, n_rows=len(batch.length), n_targets=n_targets, workers=Workers())
    drawn = None if limit else Negatives(item_idx=negative_idx, queued_idx=None)
    return term.loss(part, drawn), part.users, torch.from_numpy(np.array(world.log_popularity))


def test_keys_of_the_queue_are_negatives_corrected_by_both_expectations(world, towers, batch, training_settings):
    n_items = len(world.items)
    negative_idx, queued = torch.tensor([1, 4, 9]), torch.tensor([2, 4, 4, 7])
    loss, users, log_popularity = _loss(
        towers, batch, world, training_settings, negative_idx=negative_idx, queue=_queue(towers, queued, 9)
    )
    both = torch.cat([negative_idx, queued])
    expected = (3 / n_items + 4 * log_popularity.exp()[both]).log()
    targets = batch.target_idx[batch.target_idx >= 0]
    wanted = oracles.sampled_softmax_loss(
        users,
        towers.encode_items(targets),
        towers.encode_items(both),
        log_expected=expected,
        is_false_negative=(targets[:, None] == both[None, :]).tolist(),
        scale=towers.scale.item(),
    )
    assert loss.item() == pytest.approx(wanted, rel=1e-4)


def test_a_long_queue_of_targets_comes_to_the_full_softmax(world, towers, batch, training_settings):
    rng = np.random.default_rng(0)
    share = np.exp(world.log_popularity) / np.exp(world.log_popularity).sum()
    queued = torch.from_numpy(rng.choice(len(share), 60_000, p=share))
    negatives = torch.from_numpy(rng.integers(0, len(share), 200))
    loss, _, _ = _loss(towers, batch, world, training_settings, negative_idx=negatives, queue=_queue(towers, queued, 60_000))
    full, _, _ = _loss(towers, batch, world, training_settings, negative_idx=negatives, queue=None, limit=10_000)
    assert loss.item() == pytest.approx(full.item(), abs=0.05)


def test_an_empty_queue_is_none(world, towers, batch, training_settings):
    negatives = torch.tensor([1, 4, 9])
    empty = KeyQueue(5, towers.spec.dim, device=CPU)
    first, second = (
        _loss(towers, batch, world, training_settings, negative_idx=negatives, queue=queue)[0] for queue in (None, empty)
    )
    assert first.item() == second.item()


def test_a_batch_without_a_target_draws_nothing_and_costs_nothing(world, towers, batch, training_settings):
    context = Context(
        values=training_settings(full_softmax_limit=0, n_uniform=4, n_in_batch=3).values,
        model=towers,
        histories=world.histories,
        log_popularity=world.log_popularity,
        device=CPU,
        texts=None,
        is_full=False,
    )
    term, empty = NextItem.build(context), replace(batch, target_idx=torch.full_like(batch.target_idx, -1))
    drawn = term.draw(empty, rng=np.random.default_rng(0))
    items = encode_items(towers, None, device=CPU)
    part = Part(model=towers, batch=empty, items=items, n_rows=len(empty.length), n_targets=0, workers=Workers())
    assert len(drawn.item_idx) == 0
    assert term.loss(part, drawn).item() == 0
