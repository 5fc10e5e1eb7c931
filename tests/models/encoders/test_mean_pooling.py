import torch

from recsys.models.encoders.mean_pooling import MeanPoolingEncoder


def test_all_but_the_last_event_count_whatever_their_order():
    torch.manual_seed(0)
    encoder = MeanPoolingEncoder(8, feedforward_factor=2, dropout=0.0).eval()
    history = torch.randn(1, 5, 8)
    swapped = history[:, [2, 0, 1, 3, 4]]
    torch.testing.assert_close(encoder(history)[:, -1], encoder(swapped)[:, -1], rtol=0, atol=1e-6)
    other_last = history[:, [4, 1, 2, 3, 0]]
    assert not torch.allclose(encoder(history)[:, -1], encoder(other_last)[:, -1])


def test_without_its_layer_it_is_the_mean_and_the_last_event():
    encoder = MeanPoolingEncoder(4, feedforward_factor=1, dropout=0.0).eval()
    torch.nn.init.zeros_(encoder.feedforward_out.weight)
    torch.nn.init.zeros_(encoder.feedforward_out.bias)
    history = torch.randn(2, 3, 4)
    wanted = torch.stack([history[:, t] + history[:, : t + 1].mean(1) for t in range(3)], dim=1)
    torch.testing.assert_close(encoder(history), wanted, rtol=0, atol=1e-6)
