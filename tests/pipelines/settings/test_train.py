import pytest
from pydantic import ValidationError

from pipelines.settings.profile import Profile
from recsys.training.settings import pretraining_settings, training_settings

BARE = {"name": "x", "ingest": {"source": "synthetic"}}


def test_a_table_becomes_the_settings_of_the_library_and_back() -> None:
    profile = Profile.model_validate(BARE | {"train": {"dim": 32, "operators": ["crop"]}, "pretrain": {"n_epochs": 2}})
    assert profile.train == training_settings({"dim": 32, "operators": ["crop"]})
    assert profile.pretrain == pretraining_settings({"n_epochs": 2})
    table = profile.model_dump(mode="json")["train"]
    assert (table["dim"], table["operators"]) == (32, ["crop"])
    assert training_settings(table) == profile.train


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"train": {"dim": "big"}}, "train.dim must be an integer at least 4 and at most 4,096, got 'big'"),
        (
            {"pretrain": {"n_epoch": 2}},
            "pretrain.n_epoch must be a known key, .* the nearest is pretrain.n_epochs",
        ),
        ({"train": 3}, "train must be a table, got 3"),
    ],
)
def test_a_fault_names_key_rule_and_value(tables: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Profile.model_validate(BARE | tables)
