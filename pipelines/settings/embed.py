"""`[embed]`: how vectors are computed, and whether items without a train event get one from their texts."""

from typing import Literal

from pydantic import Field

from pipelines.settings.table import Settings


class EmbedSettings(Settings):
    """How vectors are computed, and whether items without a train event get one from their texts."""

    batch_tokens: int = Field(default=16_384, ge=1, description="Padded events that are encoded at once.")
    cold_items: bool = Field(default=False, description="Whether items without a train event are recommended, by their texts.")
    cold_scale: float = Field(
        default=0.95,
        gt=0,
        le=1,
        description="What vectors of such items are shortened to, so that they displace fewer others: among the first ten, a "
        "tenth of the items of MovieLens-1M took 35 % at 1, 14 % at 0.94 and 5 % at 0.9.",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="Where to encode; auto takes CUDA where it is there."
    )
