from pathlib import Path

import pytest
from pipelines.settings.config import RetrieveSettings, SplitSettings
from pipelines.settings.training_config import TrainSettings
from pydantic import ValidationError

from pipelines.settings.profile import Profile


def test_settings_cannot_be_changed_once_they_are_read() -> None:
    settings = TrainSettings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.dim = 8  # type: ignore[misc]


@pytest.mark.parametrize("table", sorted(set(Profile.model_fields) - {"name", "ingest"}))
def test_every_table_but_ingest_has_defaults(table: str) -> None:
    profile = Profile.model_validate({"name": "x", "ingest": {"source": "synthetic"}})
    assert getattr(profile, table) is not None
    assert Path("pipelines", f"{table if table != 'registration' else 'register'}.py").exists()


def test_a_split_without_validation_is_for_leave_last_out_only() -> None:
    assert SplitSettings(validation=False).protocol == "leave_last_out"
    for changes in ({"protocol": "temporal"}, {"also": ["temporal"]}):
        with pytest.raises(ValidationError, match='validation must be true for the protocol "temporal", got false'):
            SplitSettings.model_validate({"validation": False} | changes)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sources": ["fresh", "fresh"]}, "sources must differ"),
        ({"quotas": {"fresh": 2}}, "quotas must be of sources in use, got one of fresh"),
        (
            {"sources": ["two_tower", "fresh"], "quotas": {"fresh": 11}, "k": 10},
            "quotas must not exceed k in all, got 11 and 10",
        ),
        (
            {"sources": ["two_tower", "fresh"], "quotas": {"fresh": 1}, "caps": {"genre": 2}},
            "quotas must not stand beside caps",
        ),
        ({"min_age_days": 7.0}, "released must name the time column"),
        ({"now": "tomorrow"}, "now must be a time such as"),
        ({"categories": {"genre": []}}, "at least 1 item"),
        ({"caps": {"genre": 0}}, "greater than or equal to 1"),
    ],
)
def test_candidates_that_cannot_be_made_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        RetrieveSettings.model_validate(settings)
