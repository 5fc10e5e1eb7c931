"""One training step's loss, and the vectors of users and items."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import embedding, normalize

from recsys.losses.false_negatives import same_item
from recsys.losses.sampled_softmax import sampled_softmax
from recsys.losses.softmax import full_softmax
from recsys.models.two_tower import TwoTower
from recsys.sampling.batches import Batch, HeldOut, Histories, request_batches
from recsys.training.precision import autocast

_ITEM_BLOCK = 65_536


def full_loss(model: TwoTower, batch: Batch) -> torch.Tensor:
    """Mean next-item cross-entropy over the whole catalogue. Shape ()."""
    all_items = torch.arange(model.spec.n_items, device=batch.item_idx.device)
    vectors = model.item_tower(all_items)  # (I, D)
    users, targets = _encode_targets(model, batch, embedding(batch.item_idx, vectors))
    return full_softmax(users, normalize(vectors.float(), dim=-1), targets, scale=model.scale)


def sampled_loss(model: TwoTower, batch: Batch, *, negative_idx: torch.Tensor, log_expected: torch.Tensor) -> torch.Tensor:
    """Mean next-item cross-entropy against shared negatives; only the items of the batch are encoded.

    Args:
        model: Both towers.
        batch: Histories with targets.
        negative_idx: Shape (N,) item idx.
        log_expected: Shape (N,), log of how often each was expected in the sample.
    """
    targets = batch.target_idx[batch.target_idx >= 0]  # (T,)
    wanted = torch.cat([batch.item_idx.flatten(), targets, negative_idx])
    distinct, place = torch.unique(wanted, return_inverse=True)
    vectors = model.item_tower(distinct)  # (M, D), M distinct items
    sizes = [batch.item_idx.numel(), len(targets), len(negative_idx)]
    history_place, target_place, negative_place = torch.split(place, sizes)
    history = embedding(history_place.view(batch.item_idx.shape), vectors)  # (B, L, D)
    users, _ = _encode_targets(model, batch, history)
    unit = normalize(vectors.float(), dim=-1)  # (M, D)
    return sampled_softmax(
        users,
        unit[target_place],
        unit[negative_place],
        log_expected=log_expected,
        is_false_negative=same_item(targets, negative_idx),
        scale=model.scale,
    )


def _encode_targets(model: TwoTower, batch: Batch, history: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    is_target = batch.target_idx >= 0  # (B, L)
    users = model.encode_prefixes(
        history, gap=batch.gap, request_gap=batch.request_gap, user_idx=batch.user_idx, is_wanted=is_target
    )  # (T, D)
    return users, batch.target_idx[is_target]


@torch.inference_mode()
def embed_items(model: TwoTower, *, device: torch.device, dtype: torch.dtype) -> NDArray[np.float32]:
    """Unit vectors of all items, shape (I, D)."""
    model.eval()
    blocks = torch.split(torch.arange(model.spec.n_items, device=device), _ITEM_BLOCK)
    with autocast(device, dtype):
        return np.concatenate([model.encode_items(block).cpu().numpy() for block in blocks])


@torch.inference_mode()
def embed_users(
    model: TwoTower,
    histories: Histories,
    user_idx: NDArray[np.integer],
    *,
    held_out: HeldOut,
    batch_tokens: int,
    device: torch.device,
    dtype: torch.dtype,
) -> NDArray[np.float32]:
    """Unit vectors of users at the moment they are asked about, shape (B, D) in the order of `user_idx`."""
    model.eval()
    vectors = np.zeros((len(user_idx), model.spec.dim), np.float32)
    batches = request_batches(
        histories,
        user_idx,
        history_length=model.spec.history_length,
        batch_tokens=batch_tokens,
        use_time=model.spec.use_time,
        held_out=held_out,
    )
    for places, on_cpu in batches:
        batch = on_cpu.to(device)
        with autocast(device, dtype):
            vectors[places] = encode_last(model, batch).cpu().numpy()
    return vectors


def encode_last(model: TwoTower, batch: Batch) -> torch.Tensor:
    """Unit vectors of whole histories. Shape (B, D)."""
    steps = torch.arange(batch.item_idx.shape[1], device=batch.item_idx.device)
    is_last = steps[None, :] == batch.length[:, None] - 1  # (B, L)
    history = model.item_tower(batch.item_idx.flatten()).view(*batch.item_idx.shape, -1)  # (B, L, D)
    return model.encode_prefixes(
        history, gap=batch.gap, request_gap=batch.request_gap, user_idx=batch.user_idx, is_wanted=is_last
    )
