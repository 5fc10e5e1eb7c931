import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.training.early_stopping import EarlyStopping


def _see_all(values, *, patience):
    state = EarlyStopping(patience=patience)
    for value in values:
        state = state.see(value)
    return state


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=10), st.integers(1, 4))
def test_the_best_epoch_is_the_first_of_the_largest_value(values, patience):
    state = _see_all(values, patience=patience)
    assert state.best_value == max(values)
    assert state.best_epoch == values.index(max(values)) + 1
    assert state.epoch == len(values)
    assert state.should_stop is (len(values) - state.best_epoch >= patience)


@pytest.mark.parametrize(("values", "stops"), [([0.5, 0.4], False), ([0.5, 0.4, 0.3], True), ([0.5, 0.4, 0.6], False)])
def test_it_stops_after_two_epochs_without_a_better_value(values, stops):
    assert _see_all(values, patience=2).should_stop is stops


def test_an_equal_value_is_not_better():
    state = _see_all([0.5, 0.5], patience=1)
    assert not state.is_best
    assert state.should_stop


def test_a_zero_is_a_value():
    state = _see_all([0.0], patience=1)
    assert state.is_best
    assert not state.should_stop


def test_without_values_the_last_epoch_is_the_best_and_nothing_stops():
    state = _see_all([None] * 5, patience=1)
    assert (state.best_epoch, state.best_value, state.is_best, state.should_stop) == (5, None, True, False)
    assert _see_all([0.5, None], patience=1).best_epoch == 2


def test_seeing_leaves_the_earlier_state_alone():
    first = EarlyStopping(patience=1).see(0.3)
    first.see(0.9)
    assert (first.best_value, first.epoch) == (0.3, 1)
