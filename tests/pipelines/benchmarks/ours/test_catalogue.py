import json

import numpy as np

from pipelines.benchmarks.ours import catalogue
from recsys.training.settings import training_settings

JOB = {"n_items": 400, "n_users": 40, "n_events": 12}


def test_a_sampled_training_learns_what_is_popular(main_of) -> None:
    small = {"dim": 8, "n_blocks": 1, "n_heads": 1, "full_softmax_limit": 0, "batch_tokens": 256, "warmup_steps": 1}
    settings = training_settings(
        {**small, "n_epochs": 4, "n_uniform": 32, "n_in_batch": 32, "validation_users": 10, "threads": 1}
    )
    found = json.loads(main_of(catalogue, json.dumps(JOB | {"settings": settings.as_table()})).read_text())
    assert found["last_loss"] < found["first_loss"]
    assert found["targets_per_second"] > 0


def test_histories_are_skewed_within_the_catalogue_and_hold_back_one_event() -> None:
    histories = catalogue._draw_histories(JOB)
    assert (histories.offsets[1:] - histories.train_end == 1).all()
    assert 0 <= histories.item_idx.min() <= histories.item_idx.max() < 400
    counts = np.sort(np.bincount(histories.item_idx, minlength=400))[::-1]
    assert counts[:40].sum() > counts[40:].sum()
