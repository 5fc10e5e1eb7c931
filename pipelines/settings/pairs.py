"""`[pairs]`: what the towers read, and by which texts items are searched."""

from typing import Literal

from pydantic import Field

from pipelines.settings.table import MOST_SEED, Settings
from recsys.core.knobs import knobs_of
from recsys.features.prepared import PairSettings

_OF_PAIRS = knobs_of(PairSettings)


class PairsSettings(Settings):
    """What the towers read, and by which texts items are searched."""

    request_time: Literal["known", "unknown"] = Field(
        default="known", description="Whether the moment at which lists are asked for is an input."
    )
    item_attributes: bool = Field(default=_OF_PAIRS["item_attributes"].default, description=_OF_PAIRS["item_attributes"].text)
    user_attributes: bool = Field(default=_OF_PAIRS["user_attributes"].default, description=_OF_PAIRS["user_attributes"].text)
    text_dim: int = Field(default=_OF_PAIRS["text_dim"].default, ge=0, le=1024, description=_OF_PAIRS["text_dim"].text)
    text_encoder: Literal["words", "sentences"] = Field(
        default=_OF_PAIRS["text_encoder"].default, description=_OF_PAIRS["text_encoder"].text
    )
    search_dim: int = Field(default=_OF_PAIRS["search_dim"].default, ge=0, le=4096, description=_OF_PAIRS["search_dim"].text)
    seed: int = Field(default=_OF_PAIRS["seed"].default, ge=0, lt=MOST_SEED, description=_OF_PAIRS["seed"].text)
