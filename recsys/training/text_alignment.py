"""The text tower learns where items lie: their vectors stand still, and their texts find them."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from recsys.core.random import rng_for, seed_for
from recsys.losses.clip import clip_loss
from recsys.models.temperature import limit_log_scales
from recsys.models.text_tower import TextTower
from recsys.objectives.texts import draw_columns, label_texts

_BATCH, _WARMUP = 512, 50
_EPOCHS, _FEWEST_STEPS, _MOST_STEPS = 150, 300, 3_000
_LEARNING_RATE, _WEIGHT_DECAY = 3e-3, 0.01
_BETAS = (0.9, 0.98)
_HELD_OUT, _KS, _MOST_SCORES = 10, (10, 100), 2 * 10**7


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """How well texts find their items.

    Attributes:
        n_items: Items with a text.
        recall: By k, and then by column: the share of held-out items, a tenth, that are among the k items nearest to their own
            text when a tower is trained on the others; none if none were held out, or for a column without such texts.
        scale: One over the temperature that was learned.
    """

    n_items: int
    recall: dict[int, list[float | None]]
    scale: float


def align_texts(
    tower: TextTower,
    items: NDArray[np.float32],
    texts: NDArray[np.float32],
    *,
    seed: int,
    device: torch.device,
    holds_out: bool = True,
    on_step: Callable[[int, int], None] | None = None,
) -> Alignment:
    """Train the text tower on locked item vectors; in each step an item is described by all its text or by one column.

    Args:
        tower: Its weights are changed.
        items: Shape (I, D) unit vectors.
        texts: Shape (I, C, T), all text first, then each column; rows of zeros are no text.
        seed: Of everything random.
        device: Where to train.
        holds_out: Whether to measure; where training has aligned the items with these texts, none is held out any more.
        on_step: Called with the steps done and their total.

    Source: Zhai et al., "LiT: Zero-Shot Transfer with Locked-image text Tuning", arXiv:2111.07991, section 3, with the
    symmetric loss of CLIP.
    """
    known, held_out = hold_out_texts(texts[:, 0], seed=seed)
    held_out = held_out[: len(held_out) if holds_out else 0]
    first = {name: tensor.clone() for name, tensor in tower.state_dict().items()}
    recall: dict[int, list[float | None]] = {}
    n_steps = min(_MOST_STEPS, max(_FEWEST_STEPS, _EPOCHS * len(known) // _BATCH))
    total = n_steps * (1 + bool(len(held_out)))
    done = 0

    def step_done() -> None:
        nonlocal done
        done += 1
        if on_step is not None:
            on_step(done, total)

    if len(held_out):
        _train(
            tower, items, texts, np.setdiff1d(known, held_out), n_steps=n_steps, seed=seed, device=device, step_done=step_done
        )
        columns = [_found(tower, items, texts[:, column], held_out, device=device) for column in range(texts.shape[1])]
        recall = {k: [_share(ranks < k) for ranks in columns] for k in _KS}
        tower.load_state_dict(first)
    if len(known):
        _train(tower, items, texts, known, n_steps=n_steps, seed=seed, device=device, step_done=step_done)
    return Alignment(n_items=len(known), recall=recall, scale=float(tower.scale.detach()))


def hold_out_texts(texts: NDArray[np.float32], *, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The items that have a text, and a tenth of them to measure on.

    Args:
        texts: Shape (I, T); rows of zeros are no text.
        seed: Which tenth.
    """
    known = np.flatnonzero(texts.any(1))
    return known, rng_for(seed, "held-out texts").permutation(known)[: len(known) // _HELD_OUT]


def _train(
    tower: TextTower,
    items: NDArray[np.float32],
    texts: NDArray[np.float32],
    chosen: NDArray[np.int64],
    *,
    n_steps: int,
    seed: int,
    device: torch.device,
    step_done: Callable[[], None],
) -> None:
    rng = rng_for(seed, "texts", len(chosen))

    def loss() -> torch.Tensor:
        rows = rng.choice(chosen, min(_BATCH, len(chosen)), replace=False)
        column = draw_columns(texts, rows, rng=rng)
        shown = np.asarray(texts[rows, column])  # (B, T)
        vectors = torch.from_numpy(items[rows]).to(device)  # (B, D)
        label = torch.from_numpy(label_texts(shown)).to(device)  # (B,)
        return clip_loss(
            tower(torch.from_numpy(shown).to(device)), vectors, is_ignored=label[:, None] == label[None, :], scale=tower.scale
        )

    fit_tower(tower, loss, n_steps=n_steps, seed=seed, step_done=step_done)


def fit_tower(
    tower: TextTower,
    loss: Callable[[], torch.Tensor],
    *,
    n_steps: int,
    seed: int,
    step_done: Callable[[], None] = lambda: None,
) -> None:
    """Minimise what a function gives, step by step: AdamW with warm-up and cosine.

    Args:
        tower: Its weights are changed.
        loss: Draws a batch and gives its loss, shape ().
        n_steps: How often.
        seed: Of the dropout.
        step_done: Called after each step.
    """
    torch.manual_seed(seed_for(seed, "text dropout"))
    tower.requires_grad_(True)
    optimizer = torch.optim.AdamW(tower.parameters(), lr=_LEARNING_RATE, betas=_BETAS, weight_decay=_WEIGHT_DECAY)
    tower.train()
    for step in range(n_steps):
        rate = _LEARNING_RATE * min(1, (step + 1) / _WARMUP) * (1 + math.cos(math.pi * step / n_steps)) / 2
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        loss().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        limit_log_scales(tower)
        step_done()
    tower.eval()


@torch.inference_mode()
def _found(
    tower: TextTower,
    items: NDArray[np.float32],
    texts: NDArray[np.float32],
    chosen: NDArray[np.int64],
    *,
    device: torch.device,
) -> NDArray[np.int64]:
    """How many items are nearer to the text of a chosen item than it is itself, for those that have a text."""
    chosen = chosen[texts[chosen].any(1)]
    catalogue = torch.from_numpy(items).to(device)  # (I, D)
    nearer = [np.zeros(0, np.int64)]
    block = max(1, min(_BATCH, _MOST_SCORES // len(items)))
    for begin in range(0, len(chosen), block):
        rows = chosen[begin : begin + block]
        scores = tower(torch.from_numpy(np.asarray(texts[rows])).to(device)) @ catalogue.t()  # (B, I)
        own = scores.gather(1, torch.from_numpy(rows).to(device)[:, None])  # (B, 1)
        nearer.append((scores > own).sum(1).cpu().numpy())
    return np.concatenate(nearer)


def _share(hits: NDArray[np.bool_]) -> float | None:
    return float(hits.mean()) if len(hits) else None
