"""What a fitted baseline comes down to: arrays that can be put on file and ranked by elsewhere."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recsys.baselines.train_matrix import UserItems
from recsys.core.errors import ArtefactError
from recsys.core.files import read_array, read_json, write_array, write_json


@dataclass(frozen=True, slots=True, kw_only=True)
class ByItems:
    """An item scores the sum of what the items of the user's history say for it.

    Attributes:
        similarity: Shape (I, I), row: the item of the history.
        half_life: Later events at which an item of the history counts half; None for all alike.
    """

    similarity: csr_matrix
    half_life: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ByUser:
    """Each user's own scores, shape (U, I)."""

    scores: csr_matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class ByFactors:
    """A score is a product of vectors: users of shape (U, D), items of shape (I, D)."""

    users: NDArray[np.float32]
    items: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class ByOrder:
    """The same scores for all users, shape (I,)."""

    scores: NDArray[np.floating[Any]]


Fitted = ByItems | ByUser | ByFactors | ByOrder


def write_fitted(folder: Path, fitted: Fitted) -> None:
    """Put a baseline on file.

    Args:
        folder: Of this baseline alone.
        fitted: The baseline.
    """
    about: dict[str, object] = {"kind": type(fitted).__name__}
    match fitted:
        case ByItems(similarity=similarity, half_life=half_life):
            about["half_life"] = half_life
            _write_matrix(folder, "similarity", similarity)
        case ByUser(scores=scores):
            _write_matrix(folder, "scores", scores)
        case ByFactors(users=users, items=items):
            write_array(folder / "users.npy", users)
            write_array(folder / "items.npy", items)
        case ByOrder(scores=scores):
            write_array(folder / "scores.npy", scores)
    write_json(folder / "fitted.json", about)


def read_fitted(folder: Path) -> Fitted:
    """Read a baseline from file; arrays are memory-mapped.

    Raises:
        ArtefactError: It is of another version.
    """
    about = read_json(folder / "fitted.json")
    match about["kind"]:
        case "ByItems":
            return ByItems(similarity=_read_matrix(folder, "similarity"), half_life=about["half_life"])
        case "ByUser":
            return ByUser(scores=_read_matrix(folder, "scores"))
        case "ByFactors":
            return ByFactors(users=read_array(folder / "users.npy"), items=read_array(folder / "items.npy"))
        case "ByOrder":
            return ByOrder(scores=read_array(folder / "scores.npy"))
    raise ArtefactError(f"{folder} must be a baseline of this version, got {about['kind']}; run make again")


def write_user_items(folder: Path, taken: UserItems) -> None:
    """Put on file who has taken what."""
    _write_matrix(folder, "age", taken.age)


def read_user_items(folder: Path) -> UserItems:
    """Read who has taken what; arrays are memory-mapped."""
    age = _read_matrix(folder, "age")
    history = csr_matrix((np.ones(age.nnz, np.float32), age.indices, age.indptr), shape=age.shape)
    return UserItems(history=history, age=age)


def _write_matrix(folder: Path, name: str, matrix: csr_matrix) -> None:
    # Rows and columns in one type: where they differ, scipy copies the columns at each product.
    kind = np.int32 if max(matrix.nnz, *matrix.shape) < np.iinfo(np.int32).max else np.int64
    write_array(folder / f"{name}-data.npy", matrix.data.astype(np.float32))
    write_array(folder / f"{name}-columns.npy", matrix.indices.astype(kind))
    write_array(folder / f"{name}-rows.npy", matrix.indptr.astype(kind))
    write_array(folder / f"{name}-shape.npy", np.array(matrix.shape, np.int64))


def _read_matrix(folder: Path, name: str) -> csr_matrix:
    data, columns, rows, shape = (read_array(folder / f"{name}-{part}.npy") for part in ("data", "columns", "rows", "shape"))
    found = csr_matrix(tuple(shape.tolist()), dtype=np.float32)
    # Given as they are: the constructor would read all of them to choose a type of index.
    found.data, found.indices, found.indptr = data, columns, rows
    return found
