import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recsys.models.time_gaps import N_BUCKETS, TimeGaps, gap_bucket


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


def test_the_request_gap_is_never_hidden_in_evaluation():
    torch.manual_seed(0)
    gaps = TimeGaps(4, request_drop=1.0).eval()
    known, unknown = torch.full((1, 5), 100), torch.full((1, 5), -1)
    assert not torch.allclose(gaps(unknown, known), gaps(unknown, unknown))


def test_the_request_gap_is_hidden_as_often_as_asked_in_training():
    torch.manual_seed(0)
    gaps = TimeGaps(4, request_drop=0.3).train()
    known, unknown = torch.full((100, 100), 100), torch.full((100, 100), -1)
    hidden = torch.isclose(gaps(unknown, known), gaps.eval()(unknown, unknown)).all(-1)
    assert abs(hidden.float().mean().item() - 0.3) < 0.03


def test_the_previous_gap_is_never_hidden():
    torch.manual_seed(0)
    gaps = TimeGaps(4, request_drop=1.0).train()
    unknown = torch.full((1, 2), -1)
    first, second = gaps(torch.tensor([[5, 5000]]), unknown)[0]
    assert not torch.allclose(first, second)
