import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.models.encoders.transformer import TransformerEncoder, _Block, _rotate, _rotation
from recsys.models.low_pass import LowPass


def _encoder(*, dropout=0.0, seed=0):
    torch.manual_seed(seed)
    return TransformerEncoder(
        16,
        n_blocks=2,
        n_heads=2,
        feedforward_factor=2,
        dropout=dropout,
        low_pass_share=0.0,
        n_frequencies=1,
    ).eval()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 9), st.integers(0, 1000))
def test_changing_an_event_changes_no_output_before_it(changed, seed):
    encoder = _encoder()
    generator = torch.Generator().manual_seed(seed)
    history = torch.randn(2, 10, 16, generator=generator)
    other = history.clone()
    other[:, changed] = torch.randn(2, 16, generator=generator)
    before, after = encoder(history), encoder(other)
    torch.testing.assert_close(after[:, :changed], before[:, :changed], rtol=0, atol=1e-6)
    assert ((after - before)[:, changed:].abs().amax(-1) > 1e-6).all()


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 12), st.integers(0, 1000))
def test_right_padding_changes_no_output_before_it(length, seed):
    encoder = _encoder()
    padded = torch.randn(3, 16, 16, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(encoder(padded)[:, :length], encoder(padded[:, :length]), rtol=0, atol=1e-5)


def test_a_batch_of_one_equals_a_batch_of_many():
    encoder, histories = _encoder(), torch.randn(7, 12, 16)
    alone = torch.cat([encoder(history[None]) for history in histories])
    torch.testing.assert_close(encoder(histories), alone, rtol=0, atol=1e-5)


def test_order_matters():
    encoder, history = _encoder(), torch.randn(1, 6, 16)
    swapped = history[:, [1, 0, 2, 3, 4, 5]]
    assert not torch.allclose(encoder(history)[:, -1], encoder(swapped)[:, -1], atol=1e-4)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20), st.integers(0, 1000))
def test_a_rotated_product_depends_on_the_distance_alone(first, second, shift, seed):
    query, key = torch.randn(2, 8, generator=torch.Generator().manual_seed(seed))
    rotation = _rotation(41, 8, torch.device("cpu"))
    queries, keys = _rotate(query.expand(41, 8), rotation), _rotate(key.expand(41, 8), rotation)
    near, moved = queries[first] @ keys[second], queries[first + shift] @ keys[second + shift]
    torch.testing.assert_close(moved, near, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(queries.norm(dim=-1), query.norm().expand(41))


def test_dropout_acts_in_training_only():
    encoder, history = _encoder(dropout=0.5), torch.randn(1, 6, 16)
    assert torch.equal(encoder(history), encoder(history))
    encoder.train()
    assert not torch.equal(encoder(history), encoder(history))


def test_bfloat16_autocast_is_close_to_float32():
    encoder, history = _encoder(), torch.randn(4, 12, 16)
    plain = encoder(history)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = encoder(history)
    assert (cast.float() - plain).norm() < 0.02 * plain.norm()


@pytest.mark.parametrize("share", [0.25, 0.75])
def test_the_filter_has_its_share_and_attention_the_rest(share):
    torch.manual_seed(0)
    block = _Block(16, 2, 2, 0.0).eval()
    block.low_pass, block.low_pass_share = LowPass(16, n_frequencies=2), share
    history, rotation = torch.randn(2, 5, 16), _rotation(5, 8, torch.device("cpu"))
    wanted = (1 - share) * block._attend(history, rotation) + share * block.low_pass(history)
    torch.testing.assert_close(block._mix(history, rotation), wanted)
