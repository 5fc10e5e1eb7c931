import pytest
from pydantic import ValidationError

from pipelines.settings.split import SplitSettings


def test_a_split_without_validation_is_for_leave_last_out_only() -> None:
    assert SplitSettings(validation=False).protocol == "leave_last_out"
    for changes in ({"protocol": "temporal"}, {"also": ["temporal"]}):
        with pytest.raises(ValidationError, match='validation must be true for the protocol "temporal", got false'):
            SplitSettings.model_validate({"validation": False} | changes)
