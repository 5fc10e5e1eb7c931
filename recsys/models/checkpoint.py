"""Weights on disk as safetensors, never pickles."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from recsys.core.errors import ArtefactError
from recsys.core.files import write_atomically


def write_tensors(path: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    """Write named tensors, atomically; they are copied to the CPU and made contiguous."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with write_atomically(path) as partial:
        save_file(plain, partial)


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Read named tensors to the CPU.

    Raises:
        ArtefactError: The file is missing or is not safetensors.
    """
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ArtefactError(f"{path} must be a safetensors file, got {error}; train again") from None


def load_weights(model: torch.nn.Module, tensors: Mapping[str, torch.Tensor]) -> None:
    """Load weights into a model of the same shape.

    Raises:
        ArtefactError: Names or shapes differ.
    """
    try:
        model.load_state_dict(dict(tensors))
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise ArtefactError(f"the weights must fit the model, got: {reason}; train again") from None


def start_from(model: torch.nn.Module, tensors: Mapping[str, torch.Tensor], *, optional: str) -> None:
    """Load the weights that a model shares with another one; a part that only one of them has is passed over.

    Args:
        model: Its weights are changed.
        tensors: By name, of the other model.
        optional: The prefix of the names that either model may lack.

    Raises:
        ArtefactError: Other names or shapes differ.
    """
    own = model.state_dict()
    shared = {name: tensor for name, tensor in tensors.items() if name in own or not name.startswith(optional)}
    load_weights(model, {name: tensor for name, tensor in own.items() if name.startswith(optional)} | shared)
