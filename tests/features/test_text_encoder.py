import json

import numpy as np
import pytest

from recsys.core.errors import ArtefactError
from recsys.features.text_encoder import fit_text_encoder, read_text_encoder

TEXTS = ["red ship sea", "blue ship storm", "red rocket moon", "blue rocket orbit", "sea storm", "moon orbit red"]


def test_texts_fitted_on_come_out_as_truncated_svd_gives_them():
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    encoder = fit_text_encoder(TEXTS, dim=3, seed=0, min_items=1)
    wanted = TruncatedSVD(3, random_state=0).fit_transform(TfidfVectorizer(sublinear_tf=True).fit_transform(TEXTS))
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    np.testing.assert_allclose(encoder.encode(TEXTS), wanted, atol=1e-4)


def test_case_order_and_unknown_words_change_nothing_and_unknown_texts_are_0():
    encoder = fit_text_encoder(TEXTS, dim=4, seed=0, min_items=1)
    first, second, nothing = encoder.encode(["red ship", "SHIP, red! zebra", "zebra"])
    np.testing.assert_allclose(first, second, atol=1e-6)
    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-5) and not nothing.any()


def test_an_encoder_comes_back_as_it_was_written(tmp_path):
    encoder = fit_text_encoder(TEXTS, dim=3, seed=0, min_items=1)
    encoder.write(tmp_path)
    np.testing.assert_array_equal(read_text_encoder(tmp_path).encode(TEXTS), encoder.encode(TEXTS))


@pytest.mark.parametrize("texts", [[], [""], ["one"], ["", ""]])
def test_too_few_words_are_an_encoder_without_dimensions(texts, tmp_path):
    encoder = fit_text_encoder(texts, dim=3, seed=0, min_items=1)
    encoder.write(tmp_path)
    assert encoder.dim == 0
    assert read_text_encoder(tmp_path).encode(["one", "two"]).shape == (2, 0)


def test_rare_words_are_left_out():
    assert "orbit" not in fit_text_encoder(TEXTS, dim=1, seed=0, min_items=3).words


def test_files_that_do_not_fit_are_refused(tmp_path):
    fit_text_encoder(TEXTS, dim=3, seed=0, min_items=1).write(tmp_path)
    (tmp_path / "words.json").write_text(json.dumps(["one"]))
    with pytest.raises(ArtefactError, match="one weight and one column a word"):
        read_text_encoder(tmp_path)
