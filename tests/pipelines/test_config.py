from pathlib import Path

import pytest
from pydantic import ValidationError

from pipelines.config import Profile, TrainSettings


def test_settings_cannot_be_changed_once_they_are_read() -> None:
    settings = TrainSettings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.dim = 8  # type: ignore[misc]


@pytest.mark.parametrize("table", sorted(set(Profile.model_fields) - {"name", "ingest"}))
def test_every_table_but_ingest_has_defaults(table: str) -> None:
    profile = Profile.model_validate({"name": "x", "ingest": {"source": "synthetic"}})
    assert getattr(profile, table) is not None
    assert Path("pipelines", f"{table if table != 'registration' else 'register'}.py").exists()
