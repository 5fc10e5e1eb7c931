"""Contrast between histories: prefixes that lead to one item, and augmented views of one history."""

import torch

from recsys.losses.nt_xent import nt_xent
from recsys.losses.supervised_contrastive import supervised_contrastive
from recsys.models.momentum import MomentumTowers
from recsys.models.two_tower import TwoTower
from recsys.sampling.batches import Batch
from recsys.training.distributed import Workers
from recsys.training.embedding import encode_last
from recsys.training.encoded_items import EncodedItems, encode_items
from recsys.training.key_queue import KeyQueue

Views = tuple[Batch, Batch]


def same_target_contrast(
    users: torch.Tensor, batch: Batch, anchor: torch.Tensor, *, n_anchors: int, scale: torch.Tensor, workers: Workers
) -> torch.Tensor:
    """These rows' share of the contrast among all anchors, shape ().

    Prefixes of one user that lead to different items are neither positive nor negative: they differ by a few events.

    Args:
        users: Shape (T, D), the vectors of the prefixes that have a target, in row-major order.
        batch: Their histories.
        anchor: Shape (B, L), the number of each prefix among the anchors, -1 if it is none.
        n_anchors: Of the whole batch.
        scale: Shape ().
        workers: The anchors of all of them are keys.
    """
    is_target = batch.target_idx >= 0  # (B, L)
    owner = batch.user_idx[:, None].expand_as(batch.target_idx)  # (B, L)
    known = torch.stack([anchor, batch.target_idx, owner], dim=-1)[is_target]  # (T, 3)
    is_anchor = known[:, 0] >= 0  # (T,)
    own, anchors = known[is_anchor], users[is_anchor]  # (A, 3), (A, D)
    keys, others = workers.gather(anchors), workers.gather(own)  # (K, D), (K, 3)
    same_anchor, same_target, same_user = (own[:, None, :] == others[None, :, :]).unbind(-1)  # (A, K) each
    loss = supervised_contrastive(
        anchors,
        keys,
        is_positive=same_target & ~same_anchor,
        is_ignored=same_anchor | (same_user & ~same_target),
        scale=scale,
    )
    return loss * (len(own) / n_anchors)


def view_contrast(
    model: TwoTower, views: Views, items: EncodedItems, *, n_rows: int, scale: torch.Tensor, workers: Workers
) -> torch.Tensor:
    """These rows' share of the contrast among the views of the whole batch, shape ().

    Views of one user are never negatives of each other, be they of another window.

    Args:
        model: Both towers and the projection head.
        views: Two views of each of these rows.
        items: All items of the views.
        n_rows: Rows of the whole batch.
        scale: Shape ().
        workers: The views of all of them are keys.
    """
    first, second = (_project(model, view, items) for view in views)  # (B, D) each
    owner = views[0].user_idx.repeat(2)  # (2B,)
    anchors = torch.cat([first, second])  # (2B, D)
    keys, owners = workers.gather(anchors), workers.gather(owner)  # (K, D), (K,)
    ignored = owner[:, None] == owners[None, :]  # (2B, K)
    loss = nt_xent(anchors, torch.cat([second, first]), keys, is_ignored=ignored, scale=scale)
    return loss * (len(first) / max(n_rows, 1))


def queued_view_contrast(
    model: TwoTower,
    views: Views,
    items: EncodedItems,
    *,
    momentum: MomentumTowers,
    queue: KeyQueue,
    n_rows: int,
    scale: torch.Tensor,
    workers: Workers,
) -> torch.Tensor:
    """The same against keys of the momentum towers, of this batch and of those before; then its own keys join the queue.

    Args:
        model: Both towers and the projection head.
        views: Two views of each of these rows.
        items: All items of the views.
        momentum: What encodes keys.
        queue: Keys of earlier steps, by user; the same in all processes.
        n_rows: Rows of the whole batch.
        scale: Shape ().
        workers: The views of all of them are keys; each has its share of the rows.
    """
    first, second = (_project(model, view, items) for view in views)  # (B, D) each
    with torch.no_grad():
        first_key, second_key = (_encode_keys(momentum, view) for view in views)  # (B, D) each
    owner = views[0].user_idx.repeat(2)  # (2B,)
    keys = workers.gather(torch.cat([first_key, second_key]))  # (K, D)
    owners = workers.gather(owner)  # (K,)
    ignored = owner[:, None] == torch.cat([owners, queue.idx])[None, :]  # (2B, K + Q)
    loss = nt_xent(
        torch.cat([first, second]),
        torch.cat([second_key, first_key]),
        torch.cat([keys, queue.vectors]),
        is_ignored=ignored,
        scale=scale,
    )
    row = torch.arange(n_rows, device=owner.device)[workers.share()]  # (B,)
    order = workers.gather(torch.cat([row, row + n_rows])).argsort()  # (K,), the same for any number of processes
    queue.push(keys[order], owners[order])
    return loss * (len(first) / max(n_rows, 1))


def _project(model: TwoTower, view: Batch, items: EncodedItems) -> torch.Tensor:
    if not len(view.length):
        return torch.zeros((0, model.spec.dim), device=view.length.device, requires_grad=True)
    return model.project(encode_last(model, view, history=items.history(view.item_idx)))


def _encode_keys(momentum: MomentumTowers, view: Batch) -> torch.Tensor:
    distinct = view.item_idx.clamp(min=0).unique()  # type: ignore[no-untyped-call]  # (M,)
    return _project(momentum.towers, view, encode_items(momentum.towers, distinct, device=distinct.device))
