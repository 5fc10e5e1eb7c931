import pytest
import torch
from torch.nn.functional import silu

from recsys.models.encoders.hstu import HstuEncoder
from recsys.models.time_gaps import EventTimes, gap_bucket

DIM, LENGTH, HEADS = 8, 6, 2


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    built = HstuEncoder(DIM, history_length=LENGTH, n_blocks=1, n_heads=HEADS, dropout=0.0, use_time=True).eval()
    for parameter in built.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return built


@pytest.fixture
def times():
    gap = torch.tensor([[-1, 10, 3000, 0, 86_400, 7]])
    return EventTimes(gap=gap, request_gap=torch.tensor([[10, 3000, 0, 86_400, 7, -1]]))


def test_a_block_equals_the_sum_written_out(encoder, times):
    history = torch.randn(1, LENGTH, DIM, generator=torch.Generator().manual_seed(1))
    block = encoder.blocks[0]
    gate, query, key, value = silu(block.project(block.norm(history[0]))).chunk(4, dim=-1)
    since, size = times.since_events()[0], DIM // HEADS
    mixed = torch.zeros(LENGTH, DIM)
    for head in range(HEADS):
        part = slice(head * size, (head + 1) * size)
        for i in range(LENGTH):
            for j in range(i + 1):
                bias = encoder.bias.place.weight[i - j, head] + encoder.bias.time.weight[gap_bucket(since[i, j]), head]
                mixed[i, part] += silu(query[i, part] @ key[j, part] + bias) / (i + 1) * value[j, part]
    wanted = encoder.norm(history[0] + block.out(block.mixed_norm(mixed) * gate))
    torch.testing.assert_close(encoder(history, times)[0], wanted, rtol=0, atol=1e-5)


def test_time_changes_the_answer_only_where_it_is_an_input(times):
    history = torch.randn(1, LENGTH, DIM)
    later = EventTimes(gap=times.gap * 50, request_gap=times.request_gap)
    for use_time in (True, False):
        torch.manual_seed(0)
        built = HstuEncoder(DIM, history_length=LENGTH, n_blocks=1, n_heads=HEADS, dropout=0.0, use_time=use_time).eval()
        torch.nn.init.normal_(built.bias.time.weight if use_time else built.bias.place.weight, std=2.0)
        assert torch.allclose(built(history, times), built(history, later)) is not use_time


def test_order_matters(encoder):
    history = torch.randn(1, LENGTH, DIM)
    swapped = history[:, [1, 0, 2, 3, 4, 5]]
    assert not torch.allclose(encoder(history, None)[:, -1], encoder(swapped, None)[:, -1])
