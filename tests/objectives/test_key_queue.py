import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.objectives.key_queue import KeyQueue


def _vectors(idx):
    return torch.tensor(idx, dtype=torch.float32)[:, None] * torch.tensor([1.0, 10.0])


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 7), max_size=8), st.integers(1, 6))
def test_the_last_keys_stay_and_each_with_its_number(pushes, size):
    queue, pushed = KeyQueue(size, 2, device=torch.device("cpu")), []
    for n in pushes:
        new = list(range(len(pushed), len(pushed) + n))
        queue.push(_vectors(new).reshape(-1, 2), torch.tensor(new, dtype=torch.int64))
        pushed += new
    assert len(queue) == min(size, len(pushed))
    assert sorted(queue.idx.tolist()) == pushed[-size:]
    torch.testing.assert_close(queue.vectors, _vectors(queue.idx.tolist()).reshape(-1, 2))


def test_an_older_step_keeps_what_it_saw():
    queue = KeyQueue(2, 2, device=torch.device("cpu"))
    queue.push(_vectors([1, 2]), torch.tensor([1, 2]))
    seen = queue.vectors
    queue.push(_vectors([3]), torch.tensor([3]))
    assert seen[:, 0].tolist() == [1, 2] and queue.vectors[:, 0].tolist() == [3, 2]


def test_keys_carry_no_gradient():
    queue, vectors = KeyQueue(3, 2, device=torch.device("cpu")), torch.ones(1, 2, requires_grad=True)
    queue.push(vectors * 2, torch.tensor([0]))
    assert not queue.vectors.requires_grad


@pytest.mark.parametrize("n", [1, 5])
def test_a_state_goes_on_where_it_was(n):
    first, second = (KeyQueue(4, 2, device=torch.device("cpu")) for _ in range(2))
    first.push(_vectors(list(range(n))), torch.arange(n))
    second.restore(first.state())
    for queue in (first, second):
        queue.push(_vectors([7, 8]), torch.tensor([7, 8]))
    assert torch.equal(first.idx, second.idx) and torch.equal(first.vectors, second.vectors)
