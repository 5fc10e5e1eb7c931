"""Against the equations of the gated recurrent unit, written out."""

import torch

from recsys.models.encoders.gated_recurrent import GatedRecurrentEncoder, GatedRecurrentSettings
from recsys.models.encoders.protocol import EncoderShape


def _unit(layer, inputs):
    """Reset, update and new gates event by event, as Cho et al. have them."""
    state, states = torch.zeros(inputs.shape[1]), []
    from_input = inputs @ layer.weight_ih_l0.t() + layer.bias_ih_l0
    for row in from_input:
        from_state = layer.weight_hh_l0 @ state + layer.bias_hh_l0
        reset, update = (torch.sigmoid(row[part] + from_state[part]) for part in (slice(0, 8), slice(8, 16)))
        new = torch.tanh(row[16:] + reset * from_state[16:])
        state = (1 - update) * new + update * state
        states.append(state)
    return torch.stack(states)


def test_it_is_the_written_out_unit_around_a_residual():
    torch.manual_seed(0)
    encoder = GatedRecurrentEncoder(8, n_blocks=1, dropout=0.0).eval()
    history = torch.randn(2, 5, 8)
    wanted = [encoder.out(rows + _unit(encoder.layers[0], encoder.norms[0](rows))) for rows in history]
    torch.testing.assert_close(encoder(history, None), torch.stack(wanted))


def test_settings_say_how_many_layers():
    encoder = GatedRecurrentSettings(n_blocks=3).build(EncoderShape(dim=8, history_length=9, use_time=False))
    assert len(encoder.layers) == 3
