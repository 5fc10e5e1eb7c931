"""The encoders by name."""

from collections.abc import Mapping
from typing import Literal

from recsys.models.encoders.gated_recurrent import GatedRecurrentSettings
from recsys.models.encoders.hstu import HstuSettings
from recsys.models.encoders.mean_pooling import MeanPoolingSettings
from recsys.models.encoders.protocol import EncoderSettings
from recsys.models.encoders.transformer import TransformerSettings

EncoderName = Literal["transformer", "hstu", "mean", "gru"]
ENCODERS: Mapping[EncoderName, type[EncoderSettings]] = {
    "transformer": TransformerSettings,
    "hstu": HstuSettings,
    "mean": MeanPoolingSettings,
    "gru": GatedRecurrentSettings,
}
