import numpy as np
import pytest
import torch

from recsys.sampling.batches import build_batch, plan_epoch
from recsys.training.step import embed_items, embed_users, full_loss, sampled_loss
from tests import oracles


@pytest.fixture
def model(world, build_towers):
    return build_towers(n_items=len(world.items), n_users=len(world.users)).eval()


@pytest.fixture
def batch(world):
    """The first batch of an epoch."""
    windows = plan_epoch(world.histories, history_length=20, batch_tokens=64, rng=np.random.default_rng(0))[0]
    return build_batch(world.histories, windows, use_time=True)


def _targets(model, batch):
    """User vectors of every event with a target, one at a time, and the targets."""
    users, targets = [], []
    for row in range(len(batch.user_idx)):
        for place in range(int(batch.length[row])):
            part = slice(0, place + 1)
            history = model.item_tower(batch.item_idx[row, part])[None]
            is_wanted = torch.arange(place + 1)[None] == place
            users.append(
                model.encode_prefixes(
                    history,
                    gap=batch.gap[row : row + 1, part],
                    request_gap=batch.request_gap[row : row + 1, part],
                    user_idx=batch.user_idx[row : row + 1],
                    is_wanted=is_wanted,
                )
            )
            targets.append(int(batch.target_idx[row, place]))
    return torch.cat(users), torch.tensor(targets)


def test_full_loss_is_the_softmax_of_each_prefix_on_its_own(model, batch):
    users, targets = _targets(model, batch)
    items = model.encode_items(torch.arange(model.spec.n_items))
    wanted = oracles.softmax_loss(users, items, targets, scale=model.scale)
    assert full_loss(model, batch).item() == pytest.approx(wanted.item(), rel=1e-4)


def test_sampled_loss_is_the_sum_over_negatives_that_are_not_the_target(model, batch):
    users, targets = _targets(model, batch)
    negative_idx = torch.cat([targets[:3], torch.tensor([0, 0, 5, 7, 9])])
    log_expected = torch.linspace(-2, 1, len(negative_idx))
    wanted = oracles.sampled_softmax_loss(
        users,
        model.encode_items(targets),
        model.encode_items(negative_idx),
        log_expected=log_expected,
        is_false_negative=[[bool(target == negative) for negative in negative_idx] for target in targets],
        scale=model.scale.item(),
    )
    loss = sampled_loss(model, batch, negative_idx=negative_idx, log_expected=log_expected)
    assert loss.item() == pytest.approx(wanted, rel=1e-4)


def test_full_loss_reaches_every_parameter(model, batch):
    full_loss(model, batch).backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in model.parameters())


def test_embed_items_are_unit_vectors_of_all_items_whatever_the_blocks(model, cpu, monkeypatch):
    whole = embed_items(model, **cpu)
    monkeypatch.setattr("recsys.training.step._ITEM_BLOCK", 7)
    np.testing.assert_allclose(embed_items(model, **cpu), whole, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(whole, axis=1), 1, atol=1e-5)
    assert whole.shape == (model.spec.n_items, model.spec.dim)


@pytest.mark.parametrize("held_out", ["validation", "test"])
def test_a_user_vector_is_the_same_alone_and_in_any_batch(world, model, cpu, held_out):
    asked = np.array([17, 3, 40, 3, 59])
    together = embed_users(model, world.histories, asked, held_out=held_out, batch_tokens=4096, **cpu)
    for user, vector in zip(asked, together, strict=True):
        alone = embed_users(model, world.histories, np.array([user]), held_out=held_out, batch_tokens=8, **cpu)
        np.testing.assert_allclose(vector, alone[0], atol=1e-5)


def test_a_user_vector_is_that_of_the_last_events_up_to_the_request(world, model, cpu):
    histories = world.histories
    user = int(np.argmax(np.diff(histories.offsets)))
    last = histories.item_idx[: histories.offsets[user + 1]][-model.spec.history_length :]
    assert histories.offsets[user + 1] - histories.offsets[user] > len(last)
    times = histories.timestamp[histories.offsets[user + 1] - len(last) - 1 : histories.offsets[user + 1]]
    gap = torch.from_numpy(np.diff(times))[None]
    request_gap = torch.cat([gap[:, 1:], torch.tensor([[-1]])], dim=1)
    history = model.item_tower(torch.from_numpy(last.astype(np.int64)))[None]
    with torch.no_grad():
        wanted = model.encode_prefixes(
            history,
            gap=gap,
            request_gap=request_gap,
            user_idx=torch.tensor([user]),
            is_wanted=torch.arange(len(last))[None] == len(last) - 1,
        )
    found = embed_users(model, histories, np.array([user]), held_out="test", batch_tokens=512, **cpu)
    np.testing.assert_allclose(found, wanted.numpy(), atol=1e-5)
