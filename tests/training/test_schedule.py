import pytest

from recsys.training.schedule import learning_rate


@pytest.mark.parametrize(("steps_done", "wanted"), [(0, 0.25), (1, 0.5), (50, 0.55), (99, 0.1)])
def test_the_rate_warms_up_linearly_and_falls_along_half_a_cosine(training_settings, steps_done, wanted):
    settings = training_settings(n_epochs=2, learning_rate=1.0, warmup_steps=4, final_rate=0.1).loop
    assert learning_rate(settings, steps_done=steps_done, n_steps=50) == pytest.approx(wanted, abs=2e-3)


def test_without_warm_up_the_first_step_has_the_full_rate(training_settings):
    assert learning_rate(training_settings(warmup_steps=0, learning_rate=0.5).loop, steps_done=0, n_steps=5) == 0.5


def test_a_run_too_short_for_its_warm_up_comes_to_its_full_rate_all_the_same(training_settings):
    settings = training_settings(n_epochs=10, learning_rate=1.0, warmup_steps=200).loop
    rates = [learning_rate(settings, steps_done=step, n_steps=2) for step in range(20)]
    assert max(rates) > 0.9 and rates[0] == pytest.approx(0.5)
