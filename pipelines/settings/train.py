"""`[train]` and `[pretrain]`: the towers and their training. The settings are the library's; here they become tables."""

from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator
from pydantic_core import PydanticCustomError

from recsys.core.errors import ConfigError
from recsys.training.settings import TrainingSettings, pretraining_settings, training_settings

KNOB_FAULT = "knob"


def read_train(table: Any) -> TrainingSettings:
    """`[train]` as a table of a profile has it.

    Raises:
        PydanticCustomError: It breaks a rule; the message names the key, the rule and the value.
    """
    return _read(training_settings, table, "train.")


def read_pretrain(table: Any) -> TrainingSettings:
    """`[pretrain]`; errors are those of `read_train`."""
    return _read(pretraining_settings, table, "pretrain.")


def _read(build: Any, table: Any, where: str) -> TrainingSettings:
    if isinstance(table, TrainingSettings):
        return table
    if not isinstance(table, dict):
        raise PydanticCustomError(KNOB_FAULT, "{fault}", {"fault": f"{where[:-1]} must be a table, got {table!r}"})
    try:
        settings: TrainingSettings = build(table, where=where)
    except ConfigError as error:
        raise PydanticCustomError(KNOB_FAULT, "{fault}", {"fault": str(error)}) from None
    return settings


def _as_table(settings: TrainingSettings) -> dict[str, Any]:
    return settings.as_table()


TrainTable = Annotated[TrainingSettings, PlainValidator(read_train), PlainSerializer(_as_table)]
PretrainTable = Annotated[TrainingSettings, PlainValidator(read_pretrain), PlainSerializer(_as_table)]
