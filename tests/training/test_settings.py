import pytest

from recsys.core.errors import ConfigError
from recsys.training.settings import (
    MODEL_KNOBS,
    PRETRAIN_KNOBS,
    TRAIN_KNOBS,
    join_pretraining,
    pretraining_settings,
    training_settings,
)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"dim": 30, "n_heads": 4}, r"train: dim must be a multiple of twice n_heads \(8\), got 30"),
        ({"same_target_weight": 0.1, "accumulate": 2}, "accumulate must be 1 where same_target_weight is set"),
        ({"queue_size": 10, "accumulate": 2}, "accumulate must be 1 where queue_size is set"),
        ({"operators": ["crop", "crop"]}, "train.operators must be a list of .* all different"),
        ({"operators": ["shuffle"]}, "'crop', 'mask', 'reorder', 'substitute' or 'insert'"),
        ({"operators": []}, "at least 1 item"),
        ({"crop_share": 1.0}, "less than 1"),
        ({"history_length": 20, "window_length": 21}, r"window_length must be at most history_length \(20\), got 21"),
        ({"encoder": "lstm"}, "train.encoder must be 'transformer', 'hstu', 'mean' or 'gru', got 'lstm'"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        training_settings(values, where="train.")


def test_every_setting_is_described_in_a_sentence_and_its_default_keeps_its_own_rule() -> None:
    for knobs in (TRAIN_KNOBS, PRETRAIN_KNOBS):
        for name, knob in knobs.items():
            assert knob.text.endswith("."), name
            assert knob.check(knob.default) == knob.default, name


def test_pre_training_is_off_unless_asked_for_and_must_learn_something() -> None:
    settings = pretraining_settings()
    assert (settings.values["n_epochs"], settings.values["view_weight"]) == (0, 1.0)
    with pytest.raises(ConfigError, match="one of view_weight, item_view_weight, text_weight, barlow_weight must be above 0"):
        pretraining_settings({"view_weight": 0.0})


def test_what_pre_training_goes_by_is_all_that_a_trainer_needs() -> None:
    assert not set(MODEL_KNOBS) & set(PRETRAIN_KNOBS)
    joined = join_pretraining(pretraining_settings({"n_epochs": 3}), {"dim": 32})
    assert (joined.loop.n_epochs, joined.values["view_weight"], joined.model.dim) == (3, 1.0, 32)
    assert not joined.has_labels and joined.needs_view_head


def test_a_changed_copy_is_checked_again() -> None:
    assert training_settings({"dim": 32}).change(seed=4).loop.seed == 4
    with pytest.raises(ConfigError, match="seed must be an integer"):
        training_settings().change(seed=-1)


@pytest.mark.parametrize(
    ("settings", "is_full", "idle"),
    [
        ({"n_hard": 5, "corrected_positive": True}, True, ["n_hard", "corrected_positive"]),
        ({"n_hard": 5, "corrected_positive": True}, False, []),
        ({"queue_size": 64}, True, ["queue_size"]),
        ({"queue_size": 64, "momentum": 0.5}, False, []),
        ({"queue_size": 64, "view_weight": 0.1}, True, []),
        ({"momentum": 0.5}, False, ["momentum"]),
        ({"encoder": "mean", "n_blocks": 3}, False, ["n_blocks"]),
        ({"encoder": "hstu", "n_blocks": 3, "feedforward_factor": 4}, True, ["feedforward_factor"]),
        ({"n_blocks": 3, "feedforward_factor": 4}, True, []),
        ({"crop_share": 0.2, "view_scale": 5.0}, True, ["view_scale", "crop_share"]),
        ({"encoder": "hstu", "low_pass_share": 0.3}, True, ["low_pass_share"]),
        ({"operators": ["mask"], "crop_share": 0.2, "mask_share": 0.5, "view_weight": 0.1}, True, ["crop_share"]),
        ({"operators": ["mask"], "mask_share": 0.5, "barlow_weight": 0.1, "view_scale": 5.0}, True, ["view_scale"]),
        ({"operators": ["mask"], "item_view_weight": 0.1, "view_scale": 5.0}, True, ["operators"]),
    ],
)
def test_changed_settings_without_effect_are_named(settings: dict[str, object], is_full: bool, idle: list[str]) -> None:
    assert training_settings(settings).idle(is_full=is_full) == idle


def test_pretraining_names_them_too() -> None:
    changed = {"operators": ["crop"], "crop_share": 0.2, "insert_share": 0.2, "momentum": 0.5, "view_scale": 5.0}
    assert pretraining_settings(changed).idle(is_full=True) == ["momentum", "insert_share"]
    items_alone = {"view_weight": 0.0, "item_view_weight": 1.0, "queue_size": 9}
    assert pretraining_settings(items_alone).idle(is_full=True) == ["queue_size"]
