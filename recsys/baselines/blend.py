"""A blend of baselines: the best of each list under one score, with weights that are fitted on validation."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from recsys.baselines.ranking import Ranker
from recsys.index.nearest import Found, Neighbours

DEPTH = 100
_WEIGHTS = (0.0, 0.1, 0.3, 1.0, 3.0)
_ROUNDS = 2
_FILL = 1e-3
Judge = Callable[[Neighbours], float]
Name = TypeVar("Name", bound=str)


def blend_lists(lists: Sequence[Neighbours], weights: Sequence[float | NDArray[np.float64]], *, n_items: int, k: int) -> Found:
    """Lists by the weighted sum of each source's scores, scaled so that the head of each list has 1.

    Args:
        lists: Of each source, shape (B, W).
        weights: Of each source, or of each entry of its lists, none below 0; what has no weight has no say.
        n_items: I.
        k: Length of the lists.

    Returns:
        Lists of shape (B, K), equal sums in the order of item idx, and the source that gave each item most of its sum.
    """
    n_rows = len(lists[0].item_idx)
    keys, values, sources = [], [], []
    for number, (found, weight) in enumerate(zip(lists, weights, strict=True)):
        if np.any(weight):
            value = weight * _scaled(found)
            row, column = np.nonzero((found.item_idx >= 0) & (value > 0))
            keys.append(row.astype(np.int64) * n_items + found.item_idx[row, column])
            values.append(value[row, column])
            sources.append(np.full(len(row), number, np.int8))
    every, source_of = np.concatenate(values), np.concatenate(sources)
    distinct, entry = np.unique(np.concatenate(keys), return_inverse=True)
    total = np.bincount(entry, every, minlength=len(distinct))
    most = np.empty(len(distinct), np.int8)
    ascending = np.argsort(every, kind="stable")
    most[entry[ascending]] = source_of[ascending]  # the largest is written last
    row, item = distinct // n_items, (distinct % n_items).astype(np.int32)
    order = np.lexsort((item, -total, row))
    row, item, total, most = row[order], item[order], total[order], most[order]
    counts = np.bincount(row, minlength=n_rows)
    rank = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    kept = rank < k
    answer, source = Neighbours.empty(n_rows, k), np.full((n_rows, k), -1, np.int8)
    answer.item_idx[row[kept], rank[kept]], answer.score[row[kept], rank[kept]] = item[kept], total[kept]
    source[row[kept], rank[kept]] = most[kept]
    return Found(lists=answer, source=source)


def said(found: Neighbours) -> Neighbours:
    """Lists of a source whose scores may be below 0 and that fills none: what is there counts, if only by its rank."""
    return Neighbours(item_idx=found.item_idx, score=np.where(found.item_idx >= 0, np.maximum(found.score, 0), -np.inf))


def _scaled(found: Neighbours) -> NDArray[np.float64]:
    """Half by score against the best of the list, half by rank, so that neither a scale nor a flat list decides.

    What scores below 0 was put in to fill the list; it stays behind all that a source has something to say for.
    """
    is_said = (found.item_idx >= 0) & (found.score >= 0)
    score = np.where(is_said, found.score, 0).astype(np.float64)
    by_score = score / np.maximum(score.max(1, initial=0, keepdims=True), 1e-12)
    by_rank = 1 / np.log2(np.arange(2, found.item_idx.shape[1] + 2))[None, :]
    return np.where(is_said, 0.5 * by_score + 0.5 * by_rank, _FILL * by_rank)


def fit_weights(lists: Mapping[Name, Neighbours], judge: Judge, *, n_items: int, k: int) -> dict[Name, float]:
    """Weights that judge best: from the best source alone, one weight after the other, twice over all.

    Args:
        lists: Of each source, for users of validation.
        judge: Lists to a figure, the higher the better.
        n_items: I.
        k: Length of the lists that are judged.
    """
    names = sorted(lists, key=lambda name: -judge(lists[name]))
    weights = {name: 1.0 if name == names[0] else 0.0 for name in names}

    def value(chosen: Mapping[Name, float]) -> float:
        used = [name for name in names if chosen[name]]
        found = blend_lists([lists[name] for name in used], [chosen[name] for name in used], n_items=n_items, k=k)
        return judge(found.lists)

    best = value(weights)
    for _ in range(_ROUNDS):
        for name in names[1:]:
            for weight in _WEIGHTS:
                tried = weights | {name: weight}
                if tried != weights and (figure := value(tried)) > best:
                    weights, best = tried, figure
    return weights


def blend_ranker(rankers: Mapping[str, Ranker], weights: Mapping[str, float], *, n_items: int) -> Ranker:
    """The fitted sources as one.

    Args:
        rankers: By name.
        weights: Of each.
        n_items: I.
    """
    used = [name for name, weight in weights.items() if weight]

    def rank(user_idx: NDArray[np.int64], k: int, keeps_seen: bool, allowed: NDArray[np.bool_] | None = None) -> Neighbours:
        depth = min(max(k, DEPTH), n_items)
        lists = [rankers[name].rank(user_idx, depth, keeps_seen, allowed) for name in used]
        return blend_lists(lists, [weights[name] for name in used], n_items=n_items, k=k).lists

    return Ranker(rank=rank, rows=min(rankers[name].rows for name in used))
