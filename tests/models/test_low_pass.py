import pytest
import torch

from recsys.models.low_pass import LowPass, prefix_low_pass


@pytest.mark.parametrize("n_frequencies", [1, 2, 3, 5, 50])
def test_each_row_is_the_cut_fourier_transform_of_its_prefix_at_its_last_event(n_frequencies):
    history = torch.randn(13, generator=torch.Generator().manual_seed(0))
    found = prefix_low_pass(13, n_frequencies=n_frequencies) @ history
    for size in range(1, 14):
        spectrum = torch.fft.rfft(history[:size])
        spectrum[n_frequencies:] = 0
        wanted = torch.fft.irfft(spectrum, n=size)[-1]
        assert found[size - 1].item() == pytest.approx(wanted.item(), abs=1e-5)


def test_one_frequency_is_the_mean_and_all_of_them_change_nothing():
    values = torch.arange(1.0, 8.0)
    assert torch.allclose(prefix_low_pass(7, n_frequencies=1).sum(1), torch.ones(7))
    assert torch.allclose(prefix_low_pass(7, n_frequencies=1) @ values, values.cumsum(0) / values)
    assert torch.allclose(prefix_low_pass(7, n_frequencies=4), torch.eye(7), atol=1e-6)


def test_later_events_and_padding_change_no_position_before_them():
    torch.manual_seed(0)
    layer, history = LowPass(4, n_frequencies=3), torch.randn(2, 12, 4)
    whole = layer(history)
    torch.testing.assert_close(layer(history[:, :5]), whole[:, :5])
    changed = history.clone()
    changed[:, 5:] = 99
    torch.testing.assert_close(layer(changed)[:, :5], whole[:, :5])


def test_a_longer_history_in_validation_leaves_it_trainable():
    layer, history = LowPass(4, n_frequencies=3), torch.randn(2, 12, 4)
    with torch.inference_mode():
        layer(history)
    layer(history[:, :5].clone().requires_grad_()).sum().backward()
    assert layer.fast_share.grad is not None


def test_a_fast_share_of_one_keeps_everything_and_of_zero_the_slow_part():
    history = torch.randn(1, 6, 2)
    layer = LowPass(2, n_frequencies=2)
    torch.nn.init.ones_(layer.fast_share)
    torch.testing.assert_close(layer(history), history)
    torch.nn.init.zeros_(layer.fast_share)
    torch.testing.assert_close(layer(history), prefix_low_pass(6, n_frequencies=2) @ history)
