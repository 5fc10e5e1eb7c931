"""The vectors of all items, and of users at the moment they are asked about."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from recsys.inference.precision import autocast
from recsys.models.two_tower import TwoTower
from recsys.sampling.batches import UNKNOWN_TIME, Batch, HeldOut, Histories, request_batches

_BLOCK_ITEMS = 65_536


@torch.inference_mode()
def embed_items(
    model: TwoTower, *, device: torch.device, dtype: torch.dtype, block_items: int = _BLOCK_ITEMS
) -> NDArray[np.float32]:
    """Unit vectors of all items, shape (I, D), encoded so many at once."""
    model.eval()
    vectors = np.empty((model.spec.n_items, model.spec.dim), np.float32)
    with autocast(device, dtype):
        for begin in range(0, len(vectors), block_items):
            rows = slice(begin, min(begin + block_items, len(vectors)))
            vectors[rows] = model.encode_items(torch.arange(rows.start, rows.stop, device=device)).cpu().numpy()
    return vectors


@torch.inference_mode()
def item_norms(model: TwoTower, *, device: torch.device) -> NDArray[np.float32]:
    """The lengths of the item vectors before they became 1, shape (I,)."""
    model.eval()
    norms = np.empty(model.spec.n_items, np.float32)
    for begin in range(0, len(norms), _BLOCK_ITEMS):
        idx = torch.arange(begin, min(begin + _BLOCK_ITEMS, len(norms)), device=device)
        norms[begin : begin + len(idx)] = model.item_tower(idx).float().norm(dim=1).cpu().numpy()
    return norms


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
    for rows, on_cpu in batches:
        batch = on_cpu.to(device)
        with autocast(device, dtype):
            vectors[rows] = encode_last(model, batch).cpu().numpy()
    return vectors


@torch.inference_mode()
def encode_texts(model: TwoTower, texts: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unit vectors of what is looked for, by the text tower: shape (N, T) to (N, D)."""
    return _read(model, model.encode_text, texts)


@torch.inference_mode()
def encode_contents(model: TwoTower, texts: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unit vectors of items by all that is written about them, by the content tower: shape (N, T) to (N, D)."""
    return _read(model, model.encode_content, texts)


def _read(model: TwoTower, encode: Callable[[torch.Tensor], torch.Tensor], texts: NDArray[np.float32]) -> NDArray[np.float32]:
    model.eval()
    device = next(model.parameters()).device
    vectors: NDArray[np.float32] = encode(torch.from_numpy(texts).to(device)).cpu().numpy()
    return vectors


@torch.inference_mode()
def encode_items_taken(model: TwoTower, item_idx: Sequence[int]) -> NDArray[np.float32]:
    """The unit vector of a user who is known by some items alone, on the CPU; the last L count. Shape (1, D).

    Args:
        model: Both towers.
        item_idx: At least one, oldest first.
    """
    model.eval()
    items = torch.tensor([list(item_idx)[-model.spec.history_length :]])  # (1, L)
    unknown = torch.full_like(items, UNKNOWN_TIME)  # (1, L)
    batch = Batch(
        user_idx=torch.tensor([-1]),
        item_idx=items,
        gap=unknown,
        request_gap=unknown,
        target_idx=unknown,
        length=torch.tensor([items.shape[1]]),
    )
    vectors: NDArray[np.float32] = encode_last(model, batch).float().numpy()
    return vectors


def encode_last(model: TwoTower, batch: Batch, *, history: torch.Tensor | None = None) -> torch.Tensor:
    """Unit vectors of whole histories. Shape (B, D).

    Args:
        model: Both towers.
        batch: Histories.
        history: Shape (B, L, D), their items' vectors, where they are known already.
    """
    steps = torch.arange(batch.item_idx.shape[1], device=batch.item_idx.device)
    is_last = steps[None, :] == batch.length[:, None] - 1  # (B, L)
    if history is None:
        history = model.item_tower(batch.item_idx.flatten()).view(*batch.item_idx.shape, -1)  # (B, L, D)
    return model.encode_prefixes(
        history, gap=batch.gap, request_gap=batch.request_gap, user_idx=batch.user_idx, is_wanted=is_last
    )
