import pytest
from pydantic import BaseModel, ValidationError

from pipelines.settings.profile import Profile
from pipelines.settings.table import Settings

TABLES = [each.annotation for each in Profile.model_fields.values() if isinstance(each.annotation, type)]
DESCRIBED = sorted({table for table in TABLES if issubclass(table, BaseModel)}, key=lambda table: table.__name__)


class Some(Settings):
    number: int = 3


@pytest.mark.parametrize("values", [{"number": 3.0}, {"number": "3"}, {"numbr": 3}])
def test_unknown_keys_and_wrong_types_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Some.model_validate(values)


def test_settings_cannot_be_changed_once_they_are_read() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Some().number = 4  # type: ignore[misc]


@pytest.mark.parametrize("table", DESCRIBED, ids=lambda table: table.__name__)
def test_every_field_is_described_in_a_sentence(table: type[BaseModel]) -> None:
    assert len(DESCRIBED) == 11
    for name, field in table.model_fields.items():
        assert field.description is not None and field.description.endswith("."), f"{table.__name__}.{name}"


def test_every_table_but_ingest_has_defaults() -> None:
    profile = Profile.model_validate({"name": "x", "ingest": {"source": "synthetic"}})
    assert all(getattr(profile, table) is not None for table in Profile.model_fields)
