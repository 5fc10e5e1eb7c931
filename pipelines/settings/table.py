"""What all tables of a profile share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Text = Annotated[str, StringConstraints(min_length=1)]
MOST_DAYS = 36_500
MOST_SEED = 2**31


class Settings(BaseModel):
    """One table: unknown keys and wrong types are refused, and nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
