from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from recsys.evaluation.significance import holm, sign_flip_p_values


def test_p_values_are_those_of_all_signs_where_these_can_be_counted() -> None:
    values = np.array([0.3, 0.1, -0.05, 0.2, 0.15, 0.4, -0.1, 0.25])
    means = [abs(np.dot(signs, values)) for signs in product([-1, 1], repeat=8)]
    exact = np.mean([mean >= abs(values.sum()) - 1e-12 for mean in means])
    found = sign_flip_p_values({"a": values}, n_resamples=40_000, seed=0)["a"]
    assert found == pytest.approx(exact, abs=0.004)


def test_on_many_users_they_agree_with_the_t_test() -> None:
    rng = np.random.default_rng(0)
    table = {f"by {shift}": rng.normal(shift, 1.0, 800) for shift in (0.0, 0.03, 0.06, 0.08)}
    found = sign_flip_p_values(table, n_resamples=20_000, seed=1)
    for name, values in table.items():
        assert found[name] == pytest.approx(ttest_1samp(values, 0).pvalue, abs=0.02)


def test_no_difference_at_all_is_no_surprise_and_a_sure_one_is_as_small_as_can_be_told() -> None:
    found = sign_flip_p_values({"none": np.zeros(50), "sure": np.ones(50)}, n_resamples=99, seed=0)
    assert found == {"none": 1.0, "sure": 0.01}


@settings(deadline=None, max_examples=40)
@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), min_size=1, max_size=8))
def test_holm_never_lowers_keeps_the_order_and_rejects_as_the_stepwise_rule_does(p_values: dict[str, float]) -> None:
    adjusted = holm(p_values)
    assert all(p_values[name] <= adjusted[name] <= 1 for name in p_values)
    names = sorted(p_values, key=lambda name: p_values[name])
    assert [adjusted[name] for name in names] == sorted(adjusted.values())
    rejected: set[str] = set()
    for position, name in enumerate(names):
        if p_values[name] * (len(names) - position) >= 0.05:
            break
        rejected.add(name)
    assert {name for name, value in adjusted.items() if value < 0.05} == rejected
