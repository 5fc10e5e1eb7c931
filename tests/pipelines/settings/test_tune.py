import pytest
from pydantic import ValidationError

from pipelines.settings.tune import TuneSettings


@pytest.mark.parametrize("space", [{"learning_rat": [1.0]}, {"seed": [1, 2]}, {"dropout": {"low": 0.5, "high": 0.5}}, {}])
def test_a_search_is_for_known_settings_of_model_and_loss(space: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TuneSettings.model_validate({"space": space})
