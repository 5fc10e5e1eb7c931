import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recsys.models.time_gaps import N_BUCKETS, EventTimes, TimeGaps, gap_bucket, hide_requests


@settings(deadline=None, max_examples=40)
@given(st.integers(-(2**40), 2**50))
@example(2**31 - 1)
@example(2**31)
@example(2**32 - 2)
@example(2**32 - 1)
def test_a_bucket_is_the_number_of_bits_of_the_gap_plus_one(gap):
    wanted = 0 if gap < 0 else min((gap + 1).bit_length(), N_BUCKETS - 1)
    assert gap_bucket(torch.tensor([gap])).item() == wanted


def test_every_power_of_two_opens_a_bucket_and_no_bucket_is_out_of_range():
    opens = torch.tensor([2**power - 1 for power in range(33)])
    assert gap_bucket(opens).tolist() == list(range(1, N_BUCKETS))
    assert gap_bucket(opens[1:] - 1).tolist() == list(range(1, N_BUCKETS - 1))


def test_shape_is_kept():
    assert gap_bucket(torch.zeros(2, 3, 4, dtype=torch.int64)).shape == (2, 3, 4)


def _times(gap, request_gap):
    return EventTimes(gap=torch.as_tensor(gap), request_gap=torch.as_tensor(request_gap))


def test_both_gaps_count():
    torch.manual_seed(0)
    gaps = TimeGaps(4)
    vectors = [gaps(_times([[gap]], [[request]])) for gap, request in ((-1, -1), (100, -1), (-1, 100))]
    assert not torch.allclose(vectors[0], vectors[1])
    assert not torch.allclose(vectors[0], vectors[2])
    assert not torch.allclose(vectors[1], vectors[2])


def test_request_gaps_are_hidden_as_often_as_asked_and_previous_gaps_never():
    torch.manual_seed(0)
    times = _times(torch.full((100, 100), 5), torch.full((100, 100), 100))
    hidden = hide_requests(times, chance=0.3)
    assert abs((hidden.request_gap == -1).float().mean().item() - 0.3) < 0.03
    assert torch.equal(hidden.gap, times.gap)
    assert (hide_requests(times, chance=0.0).request_gap == 100).all()


def test_time_since_an_event_is_counted_to_the_request_behind_each_event():
    times = _times([[-1, 10, 5]], [[10, 5, 100]])
    assert times.since_events()[0].tolist() == [[10, 0, -5], [15, 5, 0], [115, 105, 100]]


def test_an_unknown_request_comes_at_the_last_event():
    times = _times([[-1, 10]], [[10, -1]])
    assert times.since_events()[0, 1].tolist() == [10, 0]
