import copy

import pytest
import torch

from recsys.training.rowwise_adam import RowwiseAdam


def _step(optimizer, table, rows, values):
    table.grad = torch.sparse_coo_tensor([rows], values, table.shape, check_invariants=True)
    optimizer.step()


@pytest.fixture
def table():
    return torch.nn.Parameter(torch.ones(5, 3))


@pytest.fixture
def optimizer(table):
    return RowwiseAdam([table], rate=0.1, decay=0.9, epsilon=0.0)


def test_only_touched_rows_move(table, optimizer):
    _step(optimizer, table, [1, 3], torch.ones(2, 3))
    assert torch.equal(table[[0, 2, 4]], torch.ones(3, 3))
    assert (table[[1, 3]] < 1).all()


def test_the_first_step_of_a_row_is_the_rate_whatever_the_size_of_its_gradient(table, optimizer):
    _step(optimizer, table, [0, 1], torch.tensor([[1e-3] * 3, [50.0] * 3]))
    torch.testing.assert_close(table[:2], torch.full((2, 3), 0.9))


def test_repeated_rows_are_one_row_with_the_sum_of_their_gradients(table, optimizer):
    twin = torch.nn.Parameter(torch.ones(5, 3))
    _step(optimizer, table, [2, 2], torch.tensor([[1.0, 2.0, 3.0], [0.5, 0.5, 0.5]]))
    _step(RowwiseAdam([twin], rate=0.1, decay=0.9, epsilon=0.0), twin, [2], torch.tensor([[1.5, 2.5, 3.5]]))
    torch.testing.assert_close(table, twin)


def test_steps_are_the_recurrence_written_out(table, optimizer):
    gradients = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    row, mean = torch.ones(3), 0.0
    for n, gradient in enumerate(gradients, start=1):
        _step(optimizer, table, [4], gradient[None])
        mean = 0.9 * mean + 0.1 * float(gradient.square().mean())
        row = row - 0.1 * gradient / (mean / (1 - 0.9**n)) ** 0.5
        torch.testing.assert_close(table[4].detach(), row)


def test_state_is_one_number_and_one_count_a_row_and_survives_a_round_trip(table, optimizer):
    _step(optimizer, table, [1, 2], torch.randn(2, 3))
    state = copy.deepcopy(optimizer.state_dict())
    assert {tuple(value.shape) for value in state["state"][0].values()} == {(5,)}
    twin = torch.nn.Parameter(table.detach().clone())
    again = RowwiseAdam([twin], rate=0.1, decay=0.9, epsilon=0.0)
    again.load_state_dict(state)
    _step(optimizer, table, [1], torch.ones(1, 3))
    _step(again, twin, [1], torch.ones(1, 3))
    assert torch.equal(table, twin)
