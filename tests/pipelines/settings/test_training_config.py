import pytest
from pipelines.settings.training_config import ContrastSettings, ModelSettings, PretrainSettings, TrainSettings
from pydantic import ValidationError

from recsys.augmentation.compose import OPERATORS, Shares


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"low_pass_share": 0.3, "encoder": "hstu"}, "low_pass_share must be 0"),
        ({"same_target_weight": 0.1, "accumulate": 2}, "accumulate must be 1 where same_target_weight is set"),
        ({"queue_size": 10, "accumulate": 2}, "accumulate must be 1 where queue_size is set"),
        ({"operators": ["crop", "crop"]}, "operators must differ"),
        ({"operators": ["shuffle"]}, "'crop', 'mask', 'reorder', 'substitute' or 'insert'"),
        ({"operators": []}, "at least 1 item"),
        ({"crop_share": 1.0}, "less than 1"),
        ({"history_length": 20, "window_length": 21}, r"window_length must be at most history_length \(20\), got 21"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TrainSettings.model_validate(settings)


def test_pre_training_is_off_unless_asked_for_and_must_learn_something() -> None:
    assert PretrainSettings().n_epochs == 0
    assert PretrainSettings().view_weight == 1
    with pytest.raises(ValidationError, match="one of view_weight, item_view_weight and text_weight must be above 0"):
        PretrainSettings(view_weight=0.0)


def test_what_pre_training_goes_by_is_all_that_train_needs() -> None:
    assert not set(ModelSettings.model_fields) & set(PretrainSettings.model_fields)
    merged = TrainSettings.model_validate(ModelSettings().model_dump() | PretrainSettings(n_epochs=3).model_dump())
    assert (merged.n_epochs, merged.view_weight, merged.dim) == (3, 1.0, ModelSettings().dim)


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
        ({"crop_share": 0.2, "view_scale": 5.0}, True, ["crop_share", "view_scale"]),
        ({"operators": ["mask"], "crop_share": 0.2, "mask_share": 0.5, "view_weight": 0.1}, True, ["crop_share"]),
        ({"operators": ["mask"], "item_view_weight": 0.1, "view_scale": 5.0}, True, ["operators"]),
    ],
)
def test_changed_settings_without_effect_are_named(settings: dict[str, object], is_full: bool, idle: list[str]) -> None:
    assert TrainSettings.model_validate(settings).idle(is_full=is_full) == idle


def test_pretraining_names_them_too() -> None:
    changed = {"operators": ["crop"], "crop_share": 0.2, "insert_share": 0.2, "momentum": 0.5, "view_scale": 5.0}
    assert PretrainSettings.model_validate(changed).idle(is_full=True) == ["insert_share", "momentum"]
    items_alone = {"view_weight": 0.0, "item_view_weight": 1.0, "queue_size": 9}
    assert PretrainSettings.model_validate(items_alone).idle(is_full=True) == ["queue_size"]


def test_operators_and_shares_are_those_of_the_library() -> None:
    settings = ContrastSettings()
    assert tuple(settings.operators) == OPERATORS
    assert all(getattr(settings, f"{name}_share") == getattr(Shares(), name) for name in Shares.__dataclass_fields__)
