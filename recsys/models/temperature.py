"""One over the temperature, kept as its logarithm and at most 100.

Source: Radford et al., "CLIP", arXiv:2103.00020, section 2.5.
"""

import math

import torch
from torch import nn

_LARGEST = math.log(100.0)


def to_scale(log_scale: torch.Tensor) -> torch.Tensor:
    """Shape () to shape ()."""
    return log_scale.clamp(max=_LARGEST).exp()


def limit_log_scales(model: nn.Module) -> None:
    """Bring the parameters named `log_scale` back to the limit after a step: above it they would have no gradient."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.rpartition(".")[2] == "log_scale":
                parameter.clamp_(max=_LARGEST)
