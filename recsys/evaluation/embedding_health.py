"""Whether a space of embeddings is one to search in: aligned, spread out, without hubs and without dead corners."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import skew, spearmanr

Vectors = NDArray[np.float32]

_MOST_PAIRS, _MOST_SCORES = 5_000, 2 * 10**8
_FEW, _MANY = 10, 100
_ALIKE, _FEWEST_DIRECTIONS, _ENOUGH = 0.9, 1 / 16, 16
_MANY_DEAD, _HUBS = 1 / 3, 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingHealth:
    """Figures of one space of unit vectors.

    Attributes:
        dim: D.
        n_users: Users that were asked for their nearest items; a sample if there are many.
        alignment: Mean squared distance of a user and an item that the user took later, from 0 to 4; lower is nearer.
        item_uniformity: Log of the mean of exp(-2 · squared distance) over pairs of items, from -8 to 0; lower is more even.
        user_uniformity: The same over pairs of users.
        item_cosine: Mean cosine of two items; 1 if all are the same.
        user_cosine: The same of two users.
        effective_rank: How many directions the items make use of, from 1 to D.
        hubness: Skewness of how often an item is among the 10 nearest of a user; 0 if all are alike, 10 if a few are nearly
            always.
        n_dead: Items among the 100 nearest of nobody who was asked.
        norm_popularity: Spearman correlation of the length of an item's vector, before it became 1, and its train events.
        faults: What is wrong, in words; nothing if the space can be searched.
        warnings: What is not as it should be and yet no reason to hold lists back.
    """

    dim: int
    n_users: int
    alignment: float
    item_uniformity: float
    user_uniformity: float
    item_cosine: float
    user_cosine: float
    effective_rank: float
    hubness: float
    n_dead: int
    norm_popularity: float
    faults: tuple[str, ...]
    warnings: tuple[str, ...]


def measure_health(
    users: Vectors,
    items: Vectors,
    *,
    pairs: NDArray[np.int64],
    norms: NDArray[np.float32],
    counts: NDArray[np.integer],
    rng: np.random.Generator,
) -> EmbeddingHealth:
    """Measure a space.

    Args:
        users: Shape (U, D) unit vectors.
        items: Shape (I, D) unit vectors.
        pairs: Shape (P, 2), idx of users and of items that they took later.
        norms: Shape (I,), lengths of the items' vectors before they became 1.
        counts: Shape (I,), train events.
        rng: For samples.

    Source: alignment and uniformity: Wang & Isola, arXiv:2005.10242, section 4.1.2, with t = 2; effective rank: Roy &
    Vetterli, EUSIPCO 2007, eq. 3; hubness: Radovanović et al., JMLR 11, 2010, section 2.
    """
    asked = _sample(users, min(_MOST_PAIRS, max(1, _MOST_SCORES // max(len(items), 1))), rng)
    often, ever = _count_neighbours(asked, items)
    some_items, some_users = _sample(items, _MOST_PAIRS, rng), _sample(users, _MOST_PAIRS, rng)
    taken = users[pairs[:, 0]] - items[pairs[:, 1]]
    item_cosine, user_cosine = _mean_cosine(some_items), _mean_cosine(some_users)
    rank = effective_rank(some_items)
    hubness, n_dead = float(skew(often)) if often.std() > 0 else 0.0, int((ever == 0).sum())
    return EmbeddingHealth(
        dim=items.shape[1],
        n_users=len(asked),
        alignment=float((taken**2).sum(1).mean()) if len(pairs) else float("nan"),
        item_uniformity=uniformity(some_items),
        user_uniformity=uniformity(some_users),
        item_cosine=item_cosine,
        user_cosine=user_cosine,
        effective_rank=rank,
        hubness=hubness,
        n_dead=n_dead,
        norm_popularity=_rank_correlation(norms, counts),
        faults=_find_faults(item_cosine=item_cosine, user_cosine=user_cosine, rank=rank, most=min(items.shape)),
        warnings=_find_warnings(hubness=hubness, n_dead=n_dead, n_users=len(asked), n_items=len(items)),
    )


def uniformity(vectors: Vectors) -> float:
    """Log of the mean of exp(-2 · squared distance) over all pairs, in [-8, 0]; 0 for fewer than two vectors.

    >>> uniformity(np.array([[1.0, 0.0], [1.0, 0.0]], np.float32))
    0.0
    >>> round(uniformity(np.array([[1.0, 0.0], [-1.0, 0.0]], np.float32)), 6)
    -8.0
    """
    if len(vectors) < 2:
        return 0.0
    cosine = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)].astype(np.float64)
    return float(np.log(np.exp(-4 * (1 - cosine)).mean()))


def effective_rank(vectors: Vectors) -> float:
    """The exponential of the entropy of the singular values, in [1, D].

    >>> round(effective_rank(np.eye(3, dtype=np.float32)), 6)
    3.0
    >>> round(effective_rank(np.array([[1.0, 0.0], [1.0, 0.0]], np.float32)), 6)
    1.0
    """
    values = np.linalg.svd(vectors.astype(np.float64), compute_uv=False)
    share = values[values > 1e-12] / values.sum()
    return float(np.exp(-(share * np.log(share)).sum()))


def project_to_plane(vectors: Vectors) -> NDArray[np.float64]:
    """The two directions in which vectors differ most, shape (N, 2)."""
    centred = vectors.astype(np.float64) - vectors.mean(0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    plane: NDArray[np.float64] = centred @ axes[:, ::-1][:, :2]
    return plane


def _find_faults(*, item_cosine: float, user_cosine: float, rank: float, most: int) -> tuple[str, ...]:
    """What is wrong; of few items or dimensions the rank says nothing."""
    faults = [
        f"collapsed or hardly trained: two {side} have a cosine of {cosine:.2f} on average, so all of them lie close together"
        for side, cosine in (("items", item_cosine), ("users", user_cosine))
        if cosine > _ALIKE
    ]
    if rank < max(2.0, most * _FEWEST_DIRECTIONS) and most >= _ENOUGH:
        faults.append(f"collapsed: items make use of {rank:.1f} directions of {most}")
    return tuple(faults)


def _find_warnings(*, hubness: float, n_dead: int, n_users: int, n_items: int) -> tuple[str, ...]:
    """Items that nobody is near to, where enough users were asked that each item might have been; and hubs."""
    found = []
    if n_users * min(_MANY, n_items) >= _ENOUGH * n_items and n_dead > _MANY_DEAD * n_items:
        found.append(
            f"{n_dead / n_items:.0%} of the items are among the 100 nearest of none of {n_users:,} users: they are dead"
        )
    if hubness > _HUBS:
        found.append(f"a few items are near to nearly everybody: hubness is {hubness:.1f}")
    return tuple(found)


def _count_neighbours(users: Vectors, items: Vectors) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How often each item is among the 10 and among the 100 nearest of a user, shape (I,) each."""
    often, ever = np.zeros(len(items), np.int64), np.zeros(len(items), np.int64)
    few, many = min(_FEW, len(items)), min(_MANY, len(items))
    block = max(1, _MOST_SCORES // 10 // max(len(items), 1))
    for begin in range(0, len(users), block):
        scores = users[begin : begin + block] @ items.T
        nearest = np.argpartition(-scores, many - 1, axis=1)[:, :many]
        within = np.take_along_axis(scores, nearest, axis=1)
        first = np.take_along_axis(nearest, np.argpartition(-within, few - 1, axis=1)[:, :few], axis=1)
        ever += np.bincount(nearest.ravel(), minlength=len(items))
        often += np.bincount(first.ravel(), minlength=len(items))
    return often, ever


def _sample(vectors: Vectors, most: int, rng: np.random.Generator) -> Vectors:
    if len(vectors) <= most:
        return np.asarray(vectors)
    return np.asarray(vectors[np.sort(rng.choice(len(vectors), most, replace=False))])


def _mean_cosine(vectors: Vectors) -> float:
    """Of two different vectors: the squared length of the sum has all pairs and each with itself."""
    n = len(vectors)
    if n < 2:
        return 0.0
    total = vectors.astype(np.float64).sum(0)
    return float((total @ total - (vectors.astype(np.float64) ** 2).sum()) / (n * (n - 1)))


def _rank_correlation(norms: NDArray[np.float32], counts: NDArray[np.integer]) -> float:
    if len(norms) < 2 or np.ptp(norms) == 0 or np.ptp(counts) == 0:
        return 0.0
    return float(spearmanr(norms, counts).statistic)
