from pathlib import Path

import pytest
from pydantic import ValidationError

from pipelines.config import SplitSettings, TrainSettings
from pipelines.profile import Profile


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
