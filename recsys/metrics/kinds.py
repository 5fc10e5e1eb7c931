"""Metrics of the kinds of items in a list: how unlike each other its items are, and how like a user's taste it is."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recsys.metrics.relevance import Values

_BLOCK_CELLS = 1 << 21
_SMOOTHING = 0.01


def intra_list_distance(item_idx: NDArray[np.integer], kinds: NDArray[np.integer], *, ks: Sequence[int]) -> Values:
    """Mean distance between two of a user's first k items: 1 minus the cosine of their sets of kinds.

    Args:
        item_idx: Shape (U, K), -1 where a list is short.
        kinds: Shape (I, A), numbers of the kinds of each item from 0, -1 where it has fewer than A. An item of no kind is at
            distance 1 to all.
        ks: The first k ranks count, for each k.

    Returns:
        Shape (U, len(ks)), in [0, 1]; 0 for lists of fewer than two items.

    Source: Zhang & Hurley, "Avoiding Monotony: Improving the Diversity of Recommendation Lists", RecSys 2008, section 3.

    >>> kinds = np.array([[0, -1], [0, -1], [1, -1]])
    >>> intra_list_distance(np.array([[0, 1, 2]]), kinds, ks=[2, 3]).round(4)
    array([[0.    , 0.6667]])
    """
    n_kinds, found = _n_kinds(kinds), np.zeros((len(item_idx), len(ks)))
    norm = np.sqrt(np.maximum((kinds >= 0).sum(1), 1))
    for rows in _blocks(len(item_idx), max(n_kinds, item_idx.shape[1] * kinds.shape[1])):
        lists = item_idx[rows]
        for column, k in enumerate(ks):
            within = lists[:, :k]
            n = (within >= 0).sum(1)
            summed = _kind_sums(within, kinds, 1 / norm, n_kinds=n_kinds)
            own = ((within >= 0) & (kinds[np.maximum(within, 0)] >= 0).any(2)).sum(1)  # each such item has cosine 1 with itself
            alike = ((summed**2).sum(1) - own) / np.maximum(n * (n - 1), 1)
            found[rows, column] = np.where(n > 1, np.clip(1 - alike, 0, 1), 0)
    return found


def miscalibration(
    item_idx: NDArray[np.integer], kinds: NDArray[np.integer], taste: NDArray[np.floating], *, ks: Sequence[int]
) -> Values:
    """How far the kinds of a user's first k items are from those that the user takes: the Kullback-Leibler divergence.

    Args:
        item_idx: Shape (U, K), -1 where a list is short.
        kinds: Shape (I, A), as for `intra_list_distance`; an item of several kinds counts for each by an equal part.
        taste: Shape (U, C), the share of each kind among what a user has taken, as `kind_shares` gives it.
        ks: The first k ranks count, for each k.

    Returns:
        Shape (U, len(ks)), in nats, 0 where both are the same; 0 for users without taste.

    Source: Steck, "Calibrated Recommendations", RecSys 2018, eq. 6 and 7, with alpha 0.01.

    >>> kinds = np.array([[0], [1]])
    >>> miscalibration(np.array([[0, 1]]), kinds, np.array([[0.5, 0.5]]), ks=[1, 2]).round(4)
    array([[1.9585, 0.    ]])
    """
    n_kinds, found = taste.shape[1], np.zeros((len(item_idx), len(ks)))
    part = 1 / np.maximum((kinds >= 0).sum(1), 1)
    for rows in _blocks(len(item_idx), max(n_kinds, item_idx.shape[1] * kinds.shape[1])):
        target = taste[rows].astype(np.float64)
        for column, k in enumerate(ks):
            shares = _shares(_kind_sums(item_idx[rows, :k], kinds, part, n_kinds=n_kinds))
            smooth = (1 - _SMOOTHING) * shares + _SMOOTHING * target
            ratio = np.where(target > 0, target / np.where(smooth > 0, smooth, 1), 1)
            found[rows, column] = (target * np.log(ratio)).sum(1)
    return found


def kind_shares(row: NDArray[np.integer], item: NDArray[np.integer], kinds: NDArray[np.integer], *, n_rows: int) -> Values:
    """The share of each kind among what each user has taken.

    Args:
        row: Shape (E,), whose each event is.
        item: Shape (E,), the items.
        kinds: Shape (I, A), as for `intra_list_distance`.
        n_rows: U.

    Returns:
        Shape (U, C); rows sum to 1, or to 0 for a user without an item of any kind.

    >>> kind_shares(np.array([0, 0]), np.array([0, 1]), np.array([[0, 1], [1, -1]]), n_rows=1)
    array([[0.25, 0.75]])
    """
    n_kinds = _n_kinds(kinds)
    of_event = kinds[item]  # (E, A)
    there = of_event >= 0
    part = np.repeat(1 / np.maximum(there.sum(1), 1), there.sum(1))
    cell = (row[:, None] * n_kinds + of_event)[there]
    counted = np.bincount(cell, part, minlength=n_rows * n_kinds)
    return _shares(np.asarray(counted.reshape(n_rows, n_kinds), np.float64))


def _n_kinds(kinds: NDArray[np.integer]) -> int:
    return int(kinds.max(initial=0)) + 1


def _blocks(n_rows: int, n_cells: int) -> list[slice]:
    """Rows of so many cells each, as many as fit in a block."""
    block = max(1, _BLOCK_CELLS // n_cells)
    return [slice(begin, begin + block) for begin in range(0, n_rows, block)]


def _kind_sums(lists: NDArray[np.integer], kinds: NDArray[np.integer], weight: Values, *, n_kinds: int) -> Values:
    """The weights of the listed items, added up by kind. Shape (B, C)."""
    of_item = np.where((lists >= 0)[:, :, None], kinds[np.maximum(lists, 0)], -1)  # (B, k, A)
    row, rank, place = np.nonzero(of_item >= 0)
    cell = row * n_kinds + of_item[row, rank, place]
    summed = np.bincount(cell, weight[lists[row, rank]], minlength=len(lists) * n_kinds)
    return np.asarray(summed.reshape(len(lists), n_kinds), np.float64)


def _shares(summed: Values) -> Values:
    whole = summed.sum(1, keepdims=True)
    return np.asarray(summed / np.where(whole > 0, whole, 1), np.float64)
