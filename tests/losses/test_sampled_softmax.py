import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import normalize

from recsys.losses.false_negatives import same_item
from recsys.losses.sampled_softmax import sampled_softmax
from recsys.losses.softmax import full_softmax
from recsys.sampling.negatives import NegativeCounts, NegativeSampler
from tests import oracles


def _unit(n_rows, *, dim=4, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return normalize(torch.randn(n_rows, dim, generator=generator, dtype=dtype), dim=-1)


def _inputs(seed=0, *, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return {
        "users": _unit(6, seed=seed, dtype=dtype),
        "positives": _unit(6, seed=seed + 1, dtype=dtype),
        "negatives": _unit(9, seed=seed + 2, dtype=dtype),
        "log_expected": torch.randn(9, generator=generator, dtype=dtype),
        "is_false_negative": torch.rand(6, 9, generator=generator) < 0.3,
        "scale": torch.tensor(12.0, dtype=dtype),
    }


def _loss(inputs):
    rest = {name: inputs[name] for name in ("log_expected", "is_false_negative", "scale")}
    return sampled_softmax(inputs["users"], inputs["positives"], inputs["negatives"], **rest)


@pytest.mark.parametrize("seed", range(5))
def test_loss_is_the_sum_written_out(seed):
    inputs = _inputs(seed)
    wanted = oracles.sampled_softmax_loss(
        inputs["users"],
        inputs["positives"],
        inputs["negatives"],
        log_expected=inputs["log_expected"],
        is_false_negative=inputs["is_false_negative"].tolist(),
        scale=12.0,
    )
    assert _loss(inputs).item() == pytest.approx(wanted, rel=1e-6)


def test_masked_negatives_change_neither_loss_nor_gradient():
    inputs = _inputs()
    inputs["is_false_negative"][:, 4] = True
    users = inputs["users"].requires_grad_()
    before = _loss(inputs)
    wanted = torch.autograd.grad(before, users)[0]
    inputs["negatives"] = inputs["negatives"].clone()
    inputs["negatives"][4] = _unit(1, seed=99)[0]
    after = _loss(inputs)
    assert after.item() == before.item()
    torch.testing.assert_close(torch.autograd.grad(after, users)[0], wanted, rtol=0, atol=0)


def test_a_row_whose_negatives_are_all_masked_adds_nothing_and_has_finite_gradients():
    inputs = _inputs()
    inputs["is_false_negative"][2] = True
    users, negatives = inputs["users"].requires_grad_(), inputs["negatives"].requires_grad_()
    loss = _loss(inputs)
    to_users, to_negatives = torch.autograd.grad(loss, (users, negatives))
    assert loss.isfinite()
    assert to_users[2].abs().sum() == 0
    assert to_negatives.isfinite().all()


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000))
def test_permuting_pairs_or_negatives_changes_no_loss(seed):
    inputs = _inputs(seed)
    rows, columns = torch.randperm(6), torch.randperm(9)
    mixed = inputs | {
        "users": inputs["users"][rows],
        "positives": inputs["positives"][rows],
        "negatives": inputs["negatives"][columns],
        "log_expected": inputs["log_expected"][columns],
        "is_false_negative": inputs["is_false_negative"][rows][:, columns],
    }
    assert _loss(mixed).item() == pytest.approx(_loss(inputs).item(), rel=1e-6)


def test_gradients_pass_gradcheck():
    inputs = _inputs()
    names = ("users", "positives", "negatives", "scale")

    def loss(*values):
        return _loss(inputs | dict(zip(names, values, strict=True)))

    values = [inputs[name].clone().requires_grad_() for name in names]
    # The negatives' logits are float32 on purpose, so the numeric side needs wide steps.
    assert torch.autograd.gradcheck(loss, values, eps=1e-3, atol=1e-3, rtol=5e-3)


def test_bfloat16_autocast_is_close_to_float32():
    inputs = _inputs(dtype=torch.float32)
    plain = _loss(inputs).item()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = _loss(inputs)
    assert cast.dtype == torch.float32
    assert cast.item() == pytest.approx(plain, rel=0.03)


def _catalogue_draws(*, n_draws, n_uniform=1000, n_in_batch=2000, n_popular=1000):
    """Full softmax, its sampled estimate, and the estimate that takes all negatives for equally expected."""
    n_items, n_rows = 40, 3000
    share = np.arange(1, n_items + 1) ** 2.0
    share /= share.sum()
    # Popular items point the same way, so that a sample which prefers them overstates the competition.
    items = _unit(n_items, dim=8, dtype=torch.float32)
    items[:, 0] += torch.linspace(-1, 1, n_items)
    items = normalize(items, dim=-1)
    counts = NegativeCounts(n_in_batch=n_in_batch, n_uniform=n_uniform, n_popular=n_popular)
    sampler = NegativeSampler(np.log(share).astype(np.float32), counts=counts)
    flat = np.full(n_items, math.log((n_uniform + n_in_batch + n_popular) / n_items), np.float32)
    scale, sums = torch.tensor(6.0), np.zeros(3)
    for draw in range(n_draws):
        rng = np.random.default_rng(draw)
        targets = rng.choice(n_items, n_rows, p=share)
        users = normalize(items[targets] + 0.5 * torch.from_numpy(rng.normal(size=(n_rows, 8)).astype(np.float32)), dim=-1)
        drawn = sampler.sample(targets, rng=rng)
        target_idx, negative_idx = torch.from_numpy(targets), torch.from_numpy(drawn)
        sums[0] += full_softmax(users, items, target_idx, scale=scale).item()
        for column, log_expected in ((1, sampler.log_expected), (2, flat)):
            sums[column] += sampled_softmax(
                users,
                items[target_idx],
                items[negative_idx],
                log_expected=torch.from_numpy(log_expected)[negative_idx],
                is_false_negative=same_item(target_idx, negative_idx),
                scale=scale,
            ).item()
    return sums / n_draws


@pytest.mark.slow
def test_with_many_negatives_the_corrected_loss_is_the_full_softmax_and_the_uncorrected_is_not():
    full, corrected, uncorrected = _catalogue_draws(n_draws=4)
    assert corrected == pytest.approx(full, rel=0.005)
    assert abs(uncorrected - full) > 0.04 * full


def test_hard_negatives_are_those_of_the_largest_corrected_logit():
    inputs = _inputs(3)
    logits = 12.0 * inputs["users"] @ inputs["negatives"].t() - inputs["log_expected"]
    order = logits.masked_fill(inputs["is_false_negative"], float("-inf")).argsort(1, descending=True)
    easy = torch.ones_like(inputs["is_false_negative"]).scatter(1, order[:, :2], False)
    names = ("log_expected", "is_false_negative", "scale")
    vectors = [inputs[name] for name in ("users", "positives", "negatives")]
    hard = sampled_softmax(*vectors, **{name: inputs[name] for name in names}, n_hard=2)
    inputs["is_false_negative"] = inputs["is_false_negative"] | easy
    assert hard.item() == pytest.approx(_loss(inputs).item(), rel=1e-6)


def test_a_corrected_positive_is_one_more_draw():
    inputs = _inputs(4)
    shift = torch.linspace(-1, 1, 6, dtype=torch.float64)
    names = ("log_expected", "is_false_negative", "scale")
    vectors = [inputs[name] for name in ("users", "positives", "negatives")]
    loss = sampled_softmax(*vectors, **{name: inputs[name] for name in names}, positive_log_expected=shift)
    positive = 12.0 * (inputs["users"] * inputs["positives"]).sum(1) - shift
    negative = 12.0 * inputs["users"] @ inputs["negatives"].t() - inputs["log_expected"]
    logits = torch.cat([positive[:, None], negative.masked_fill(inputs["is_false_negative"], float("-inf"))], dim=1)
    assert loss.item() == pytest.approx((logits.logsumexp(1) - positive).mean().item(), rel=1e-6)
