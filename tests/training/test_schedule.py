import pytest

from recsys.training.schedule import learning_rate


@pytest.mark.parametrize(
    ("steps_done", "epochs_done", "wanted"), [(0, 0.0, 0.25), (1, 0.0, 0.5), (3, 0.0, 1.0), (50, 1.0, 0.55), (99, 2.0, 0.1)]
)
def test_the_rate_warms_up_linearly_and_falls_along_half_a_cosine(training_settings, steps_done, epochs_done, wanted):
    settings = training_settings(n_epochs=2, learning_rate=1.0, warmup_steps=4, final_rate=0.1)
    assert learning_rate(settings, steps_done=steps_done, epochs_done=epochs_done) == pytest.approx(wanted)


def test_without_warm_up_the_first_step_has_the_full_rate(training_settings):
    assert learning_rate(training_settings(warmup_steps=0, learning_rate=0.5), steps_done=0, epochs_done=0.0) == 0.5
