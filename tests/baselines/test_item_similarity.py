import numpy as np
import pytest
from scipy.sparse import csr_matrix

from recsys.baselines.item_similarity import keep_largest, keep_nearest


@pytest.mark.parametrize("block", [1, 300, 10**9])
@pytest.mark.parametrize("n_neighbours", [1, 5, 100])
def test_rows_hold_the_largest_entries_of_the_product_whatever_the_blocks(block, n_neighbours):
    rng = np.random.default_rng(0)
    taken = (rng.random((30, 12)) < 0.3).astype(np.float32)
    found = keep_nearest(csr_matrix(taken.T), csr_matrix(taken), n_neighbours=n_neighbours, block_products=block).toarray()
    product = taken.T @ taken
    np.fill_diagonal(product, 0)
    for row in range(12):
        least = sorted(product[row], reverse=True)[min(n_neighbours, 12) - 1]
        assert found[row].tolist() == np.where(product[row] >= least, product[row], 0).tolist()


def test_entries_are_rescaled_by_row_and_column():
    taken = csr_matrix(np.array([[1, 1, 1], [1, 1, 0]], np.float32))
    found = keep_nearest(taken.T.tocsr(), taken, rescale=lambda row, column, value: value + 10 * row + 100 * column)
    assert found.toarray().tolist() == [[0, 102, 201], [12, 0, 211], [21, 121, 0]]


def test_rows_that_are_counted_elsewhere_are_cut_alike():
    table = csr_matrix(np.array([[5.0, 1.0, 3.0, 3.0], [0.0, 2.0, 0.0, 1.0]]))
    assert keep_largest(table, n_neighbours=2).toarray().tolist() == [[5, 0, 3, 3], [0, 2, 0, 1]]
