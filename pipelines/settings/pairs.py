"""`[pairs]`: what the towers read, and by which texts items are searched."""

from typing import Literal

from pydantic import Field

from pipelines.settings.table import MOST_SEED, Settings
from recsys.features.prepared import PairSettings

_DEFAULT = PairSettings()


class PairsSettings(Settings):
    """What the towers read, and by which texts items are searched."""

    request_time: Literal["known", "unknown"] = Field(
        default=_DEFAULT.request_time, description="Whether the moment at which lists are asked for is an input."
    )
    item_attributes: bool = Field(
        default=_DEFAULT.item_attributes, description="Whether attributes of items are inputs of the item tower."
    )
    user_attributes: bool = Field(
        default=_DEFAULT.user_attributes, description="Whether attributes of users are inputs of the user tower."
    )
    text_dim: int = Field(
        default=_DEFAULT.text_dim,
        ge=0,
        le=1024,
        description="Numbers of the text vectors that the item tower reads; 0 is none.",
    )
    text_encoder: Literal["words", "sentences"] = Field(
        default=_DEFAULT.text_encoder,
        description="How texts are encoded for search: TF-IDF with truncated SVD, or a frozen sentence encoder (the "
        "extra text).",
    )
    search_dim: int = Field(
        default=_DEFAULT.search_dim,
        ge=0,
        le=4096,
        description="Numbers of the text vectors that items are searched by; 0 is no search.",
    )
    seed: int = Field(default=_DEFAULT.seed, ge=0, lt=MOST_SEED, description="Of the randomised SVD.")
