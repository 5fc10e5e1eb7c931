"""Item-to-item weights that fit in memory at any catalogue: a product of sparse matrices, row by row, the largest kept."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

N_NEIGHBOURS = 200

Rescale = Callable[[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]], NDArray[np.float32]]


def keep_nearest(
    left: csr_matrix,
    right: csr_matrix,
    *,
    rescale: Rescale | None = None,
    n_neighbours: int = N_NEIGHBOURS,
    block_products: int = 30_000_000,
) -> csr_matrix:
    """Rows of `left @ right` without the diagonal, of each the largest entries, and all that are as large as the last.

    Args:
        left: Shape (I, U).
        right: Shape (U, I).
        rescale: Row, column and value of each entry, shape (E,) each, to its new value; the product itself if None.
        n_neighbours: Entries to keep of each row.
        block_products: Products of two numbers that are made at once; memory grows with them.

    Returns:
        Shape (I, I).
    """
    cost = np.asarray(left.astype(bool).astype(np.int64) @ np.diff(right.indptr))  # products that each row takes
    block = np.cumsum(cost) // block_products
    edges = [0, *(np.flatnonzero(np.diff(block)) + 1).tolist(), left.shape[0]]
    return vstack([_block(left, right, begin, end, rescale, n_neighbours) for begin, end in pairwise(edges)], format="csr")


def _block(left: csr_matrix, right: csr_matrix, begin: int, end: int, rescale: Rescale | None, n: int) -> csr_matrix:
    product = (left[begin:end] @ right).tocsr()
    row = np.repeat(np.arange(end - begin), np.diff(product.indptr))
    if rescale is not None:
        product.data = rescale(begin + row, product.indices, product.data).astype(np.float32)
    product.data[begin + row == product.indices] = 0
    return keep_largest(product, n_neighbours=n)


def keep_largest(table: csr_matrix, *, rescale: Rescale | None = None, n_neighbours: int = N_NEIGHBOURS) -> csr_matrix:
    """Of each row the largest entries, and all that are as large as the last of them.

    Args:
        table: Shape (R, I); it is changed.
        rescale: Row, column and value of each entry, shape (E,) each, to its new value; as they are if None.
        n_neighbours: Entries to keep of each row.
    """
    if rescale is not None:
        rows = np.repeat(np.arange(table.shape[0]), np.diff(table.indptr))
        table.data = rescale(rows, table.indices, table.data).astype(np.float32)
    for row in np.flatnonzero(np.diff(table.indptr) > n_neighbours):
        own = slice(table.indptr[row], table.indptr[row + 1])
        values = table.data[own]
        bound = -np.partition(-values, n_neighbours - 1)[n_neighbours - 1]
        table.data[own] = np.where(values >= bound, values, 0)
    table.eliminate_zeros()
    return table.astype(np.float32)
