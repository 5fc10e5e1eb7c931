import numpy as np
import pytest

from recsys.evaluation.intervals import mean_intervals, resample_weights, spread_intervals


def test_about_19_of_20_intervals_hold_the_true_mean():
    rng, n_held = np.random.default_rng(0), 0
    for trial in range(200):
        sample = rng.exponential(1.0, 80) + rng.normal(2.0, 1.0, 80)
        interval = mean_intervals({"x": sample}, n_resamples=200, seed=trial)["x"]
        n_held += interval.low <= 3.0 <= interval.high
    assert 0.89 <= n_held / 200 <= 0.99


def test_the_width_is_that_of_the_standard_error():
    sample = np.random.default_rng(1).normal(0, 2, 1000)
    interval = mean_intervals({"x": sample}, n_resamples=2000, seed=0)["x"]
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * sample.std() / 1000**0.5, rel=0.1)
    assert interval.value == pytest.approx(sample.mean())


def test_a_paired_difference_is_surer_than_the_two_means():
    rng = np.random.default_rng(2)
    ability = rng.normal(0, 1, 300)
    first, second = ability + 0.1 + rng.normal(0, 0.1, 300), ability + rng.normal(0, 0.1, 300)
    found = mean_intervals({"first": first, "second": second, "difference": first - second}, n_resamples=500, seed=0)
    assert found["first"].low < found["second"].high
    assert found["difference"].low > 0
    assert found["difference"].value == pytest.approx(found["first"].value - found["second"].value)


def test_all_names_are_resampled_with_the_same_users():
    values = np.random.default_rng(3).normal(size=50)
    found = mean_intervals({"x": values, "shifted": values + 1}, n_resamples=100, seed=0)
    assert found["shifted"].low == pytest.approx(found["x"].low + 1)
    assert found["x"].high == pytest.approx(mean_intervals({"x": values}, n_resamples=100, seed=0)["x"].high)


def test_resamples_draw_as_many_users_as_there_are_and_hang_on_the_seed():
    first, again, other = (list(resample_weights(20, n_resamples=5, seed=seed)) for seed in (0, 0, 1))
    assert all(weight.sum() == 20 and len(weight) == 20 for weight in first)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_spread_interval_is_centred_on_the_value_and_as_wide_as_1_96_standard_errors():
    sample = np.random.default_rng(4).random(400)

    def mean(weight):
        return float(sample.mean() if weight is None else weight @ sample / 400)

    twice = spread_intervals(lambda weight: (mean(weight), mean(weight)), n_users=400, n_resamples=500, seed=0)
    interval = twice[0]
    assert twice == [interval, interval]
    assert interval.value == mean(None)
    assert (interval.low + interval.high) / 2 == pytest.approx(interval.value)
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * sample.std() / 20, rel=0.15)


def test_a_spread_interval_stays_between_0_and_1():
    draws = iter([0.99, 0.0, 1.0, 0.0, 1.0])
    interval = spread_intervals(lambda weight: [next(draws)], n_users=3, n_resamples=4, seed=0)[0]
    assert (interval.low, interval.high) == (0.0, 1.0)
