"""The queue of targets: what it adds to the sample, and what it must not."""

import numpy as np
import pytest
import torch

from recsys.objectives.encoded_items import encode_items
from recsys.objectives.key_queue import KeyQueue
from recsys.objectives.next_item import full_loss, sampled_loss
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


def _loss(model, batch, world, *, negative_idx, queue):
    n_items = model.spec.n_items
    log_popularity = torch.from_numpy(np.array(world.log_popularity))
    loss, users = sampled_loss(
        model,
        batch,
        encode_items(model, None, device=CPU),
        negative_idx=negative_idx,
        log_expected=torch.full((n_items,), float(np.log(max(len(negative_idx), 1e-9) / n_items))),
        log_popularity=log_popularity,
        queue=queue,
        corrects_positive=False,
        n_hard=None,
    )
    return loss, users, log_popularity


def test_keys_of_the_queue_are_negatives_corrected_by_both_expectations(world, towers, batch):
    n_items = len(world.items)
    negative_idx, queued = torch.tensor([1, 4, 9]), torch.tensor([2, 4, 4, 7])
    loss, users, log_popularity = _loss(towers, batch, world, negative_idx=negative_idx, queue=_queue(towers, queued, 9))
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


def test_a_long_queue_of_targets_comes_to_the_full_softmax(world, towers, batch):
    rng = np.random.default_rng(0)
    share = np.exp(world.log_popularity) / np.exp(world.log_popularity).sum()
    queued = torch.from_numpy(rng.choice(len(share), 60_000, p=share))
    negatives = torch.from_numpy(rng.integers(0, len(share), 200))
    loss, _, _ = _loss(towers, batch, world, negative_idx=negatives, queue=_queue(towers, queued, 60_000))
    full, _ = full_loss(towers, batch, encode_items(towers, None, device=CPU))
    assert loss.item() == pytest.approx(full.item(), abs=0.05)


def test_an_empty_queue_is_none(world, towers, batch):
    negatives = torch.tensor([1, 4, 9])
    empty = KeyQueue(5, towers.spec.dim, device=CPU)
    first, second = (_loss(towers, batch, world, negative_idx=negatives, queue=queue)[0] for queue in (None, empty))
    assert first.item() == second.item()
