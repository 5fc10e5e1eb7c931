import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from recsys.models.attention import causal_attention


@pytest.fixture
def parts():
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(3, 2, 9, 4, generator=generator, requires_grad=True) for _ in range(3)]


def test_values_and_gradients_are_those_of_the_kernel(parts):
    ours, kernel = causal_attention(*parts), scaled_dot_product_attention(*parts, is_causal=True)
    torch.testing.assert_close(ours, kernel)
    weight = torch.randn(ours.shape, generator=torch.Generator().manual_seed(1))
    for first, second in zip(torch.autograd.grad(ours, parts, weight), torch.autograd.grad(kernel, parts, weight), strict=True):
        torch.testing.assert_close(first, second)


def test_long_histories_go_to_the_kernel_and_come_out_the_same(parts):
    written_out = causal_attention(*parts)
    torch.testing.assert_close(causal_attention(*parts, longest_written_out=8), written_out)


def test_a_later_position_changes_nothing_before_it(parts):
    before = causal_attention(*parts)
    changed = [part.detach().clone() for part in parts]
    for part in changed:
        part[:, :, 5:] += 3
    torch.testing.assert_close(causal_attention(*changed)[:, :, :5], before[:, :, :5])


def test_bfloat16_is_close_to_float32(parts):
    exact = causal_attention(*parts)
    rough = causal_attention(*[part.bfloat16() for part in parts])
    assert rough.dtype == torch.bfloat16
    torch.testing.assert_close(rough.float(), exact, rtol=0, atol=0.03)
