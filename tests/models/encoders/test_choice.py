import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.core.errors import ConfigError
from recsys.models.encoders.choice import ENCODERS
from recsys.models.encoders.gated_recurrent import GatedRecurrentEncoder
from recsys.models.encoders.hstu import HstuEncoder
from recsys.models.encoders.mean_pooling import MeanPoolingEncoder
from recsys.models.encoders.protocol import EncoderShape
from recsys.models.encoders.transformer import TransformerEncoder
from recsys.models.time_gaps import EventTimes
from recsys.objectives.encoded_items import encode_items
from recsys.objectives.term import Part
from recsys.objectives.workers import Workers
from recsys.sampling.batches import build_batch, plan_epoch

NAMES = tuple(ENCODERS)
DIM, LENGTH = 16, 12


def _encoder(name):
    torch.manual_seed(0)
    options = {"low_pass_share": 0.3} if name == "transformer" else {}
    settings = ENCODERS[name](dropout=0.0, **options)
    encoder = settings.build(EncoderShape(dim=DIM, history_length=LENGTH, use_time=True)).eval()
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return encoder


def _inputs(n_rows, length, seed):
    generator = torch.Generator().manual_seed(seed)
    gap = torch.randint(0, 10**6, (n_rows, length), generator=generator)
    request_gap = torch.randint(-1, 10**6, (n_rows, length), generator=generator)
    return torch.randn(n_rows, length, DIM, generator=generator), EventTimes(gap=gap, request_gap=request_gap)


def _rows(times, part):
    return EventTimes(gap=times.gap[part], request_gap=times.request_gap[part])


def test_each_name_builds_its_encoder():
    kinds = (TransformerEncoder, HstuEncoder, MeanPoolingEncoder, GatedRecurrentEncoder)
    assert [type(_encoder(name)) for name in NAMES] == list(kinds)


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=15)
@given(changed=st.integers(0, LENGTH - 1), seed=st.integers(0, 1000))
def test_an_event_changes_no_output_before_it_and_its_own(name, changed, seed):
    encoder, (history, times) = _encoder(name), _inputs(2, LENGTH, seed)
    other = history.clone()
    other[:, changed] += torch.linspace(-2, 2, DIM)
    before, after = encoder(history, times), encoder(other, times)
    torch.testing.assert_close(after[:, :changed], before[:, :changed], rtol=0, atol=1e-5)
    assert ((after - before)[:, changed].abs().amax(-1) > 1e-5).all()


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=15)
@given(length=st.integers(1, LENGTH), seed=st.integers(0, 1000))
def test_right_padding_and_what_stands_in_it_change_no_output_before_it(name, length, seed):
    encoder, (history, times) = _encoder(name), _inputs(3, LENGTH, seed)
    short = EventTimes(gap=times.gap[:, :length], request_gap=times.request_gap[:, :length])
    padded, bare = encoder(history, times)[:, :length], encoder(history[:, :length], short)
    torch.testing.assert_close(padded, bare, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_of_one_equals_a_batch_of_many(name):
    encoder, (history, times) = _encoder(name), _inputs(7, LENGTH, 1)
    alone = [encoder(history[row : row + 1], _rows(times, slice(row, row + 1))) for row in range(7)]
    torch.testing.assert_close(encoder(history, times), torch.cat(alone), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_without_times_it_encodes_too(name):
    encoder, (history, _) = _encoder(name), _inputs(2, LENGTH, 2)
    assert encoder(history, None).shape == history.shape


@pytest.mark.parametrize("name", NAMES)
def test_it_trains_under_bfloat16_without_a_warning(name):
    encoder, (history, times) = _encoder(name).train(), _inputs(3, LENGTH, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        encoder(history, times).float().square().mean().backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in encoder.parameters())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("history_length", [1, 5, 50])
def test_batches_are_as_wide_as_they_are_padded_whatever_the_history_length(world, build_towers, name, history_length):
    towers = build_towers(n_items=len(world.items), encoder=name, history_length=history_length)
    windows = plan_epoch(world.histories, history_length=history_length, batch_tokens=256, rng=np.random.default_rng(0))
    batch = build_batch(world.histories, windows[0], use_time=True)
    items = encode_items(towers, None, device=torch.device("cpu"))
    part = Part(model=towers, batch=batch, items=items, n_rows=len(windows[0]), n_targets=1, workers=Workers())
    assert part.users.isfinite().all()


@pytest.mark.parametrize("name", ["transformer", "hstu"])
def test_heads_that_do_not_divide_the_dimensions_are_refused(name):
    with pytest.raises(ConfigError, match=r"dim must be a multiple of twice n_heads \(6\), got 16"):
        ENCODERS[name](n_heads=3).check(EncoderShape(dim=16, history_length=9, use_time=True))
