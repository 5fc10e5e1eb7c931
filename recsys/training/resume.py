"""Checkpoints: one folder an epoch, complete or absent, holding all that the next epoch depends on."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch

from recsys.core.errors import ArtefactError
from recsys.core.files import read_json, write_json
from recsys.models.checkpoint import load_weights, read_tensors, write_tensors
from recsys.training.averaging import WeightAverage


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochRecord:
    """What one epoch did.

    Attributes:
        epoch: From 1.
        loss: Mean training loss.
        validation_ndcg: NDCG@10 on the validation events; None if there are none to judge by.
        scale: One over the temperature.
        n_steps: Optimiser steps.
        n_targets: Training targets seen.
        is_best: Whether validation was better than in all epochs before; always, if there is none.
    """

    epoch: int
    loss: float
    validation_ndcg: float | None
    scale: float
    n_steps: int
    n_targets: int
    is_best: bool


class Carried(Protocol):
    """What carries tensors from step to step."""

    def state(self) -> dict[str, torch.Tensor]:
        """All it carries, by name."""
        ...

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        """Go on from there."""
        ...


def save_checkpoint(
    folder: Path,
    *,
    model: torch.nn.Module,
    optimizers: list[torch.optim.Optimizer],
    average: WeightAverage | None,
    objective: Carried,
    best: dict[str, torch.Tensor],
    records: list[EpochRecord],
    fingerprint: str,
) -> None:
    """Write the state after the last recorded epoch, then forget the one before.

    Args:
        folder: Holds one folder an epoch.
        model: Its weights.
        optimizers: Their moments and step counts.
        average: The moving average of the weights, if there is one.
        objective: Its queues and the towers that fill them, if it has any.
        best: The weights of the best epoch.
        records: All epochs so far.
        fingerprint: What the run depends on; a checkpoint of another run is not resumed.
    """
    final = folder / f"epoch-{records[-1].epoch:04d}"
    partial = folder / ".partial"
    shutil.rmtree(partial, ignore_errors=True)
    write_tensors(partial / "model.safetensors", model.state_dict())
    write_tensors(partial / "best.safetensors", best)
    for number, optimizer in enumerate(optimizers):
        write_tensors(partial / f"optimizer-{number}.safetensors", _flatten(optimizer))
    if average is not None:
        write_tensors(partial / "average.safetensors", average.average)
    write_tensors(partial / "objective.safetensors", objective.state())
    rows = [{name: getattr(record, name) for name in EpochRecord.__dataclass_fields__} for record in records]
    write_json(partial / "records.json", {"fingerprint": fingerprint, "epochs": rows})
    shutil.rmtree(final, ignore_errors=True)
    partial.rename(final)
    for older in _complete(folder):
        if older != final:
            shutil.rmtree(older)


def load_checkpoint(
    folder: Path,
    *,
    model: torch.nn.Module,
    optimizers: list[torch.optim.Optimizer],
    average: WeightAverage | None,
    objective: Carried,
    fingerprint: str,
) -> tuple[dict[str, torch.Tensor], list[EpochRecord]] | None:
    """Restore model, optimizers, average and objective from the last complete epoch.

    Returns:
        The best weights and all records, or None if there is no checkpoint of this very run.

    Raises:
        ArtefactError: The checkpoint cannot be read.
    """
    own = [path for path in _complete(folder) if _fingerprint_of(path) == fingerprint]
    if not own:
        return None
    path = own[-1]
    load_weights(model, read_tensors(path / "model.safetensors"))
    for number, optimizer in enumerate(optimizers):
        _unflatten(optimizer, read_tensors(path / f"optimizer-{number}.safetensors"))
    objective.restore(read_tensors(path / "objective.safetensors"))
    rows = read_json(path / "records.json")["epochs"]
    if average is not None:
        average.restore(read_tensors(path / "average.safetensors"), n_steps=sum(row["n_steps"] for row in rows))
    return read_tensors(path / "best.safetensors"), [EpochRecord(**row) for row in rows]


def holds_other_run(folder: Path, *, fingerprint: str) -> bool:
    """Whether there are complete epochs, and none of this very run."""
    fingerprints = [_fingerprint_of(path) for path in _complete(folder)]
    return bool(fingerprints) and fingerprint not in fingerprints


def forget_others(folder: Path, *, fingerprint: str) -> None:
    """Remove everything but the last complete epoch of this very run: what a killed run or other settings left."""
    own = [path for path in _complete(folder) if _fingerprint_of(path) == fingerprint]
    for path in folder.glob("*"):
        if path not in own[-1:]:
            shutil.rmtree(path, ignore_errors=True)


def _fingerprint_of(path: Path) -> str | None:
    """None for a folder that was being removed."""
    try:
        return str(read_json(path / "records.json")["fingerprint"])
    except ArtefactError:
        return None


def _complete(folder: Path) -> list[Path]:
    return sorted(folder.glob("epoch-*"))


def _flatten(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    state = optimizer.state_dict()["state"]
    return {f"{number}/{name}": value for number, values in state.items() for name, value in values.items()}


def _unflatten(optimizer: torch.optim.Optimizer, tensors: dict[str, torch.Tensor]) -> None:
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        number, _, name = key.partition("/")
        state.setdefault(int(number), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
