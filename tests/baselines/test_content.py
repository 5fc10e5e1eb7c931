import numpy as np
import pytest
from scipy.sparse import csr_matrix

from recsys.baselines.content import carried_over, content_knn_scores, nearest_texts, similar_popularity


def test_a_user_of_one_item_gives_the_cosine_with_it(unit_vectors):
    texts, new = unit_vectors(5, 4), unit_vectors(3, 4, seed=2)
    history = csr_matrix(np.eye(5, dtype=np.float32))
    scores = content_knn_scores(history, texts=texts, scored=new)(np.array([3, 0]))
    np.testing.assert_allclose(scores, (texts @ new.T)[[3, 0]], atol=1e-5)


def test_the_profile_is_the_mean_text_and_users_without_history_score_0(unit_vectors):
    texts, new = unit_vectors(3, 4), unit_vectors(2, 4, seed=2)
    history = csr_matrix(np.array([[1, 1, 0], [0, 0, 0]], np.float32))
    scores = content_knn_scores(history, texts=texts, scored=new)(np.array([0, 1]))
    mean = texts[:2].sum(0) / np.linalg.norm(texts[:2].sum(0))
    np.testing.assert_allclose(scores[0], new @ mean, atol=1e-5)
    assert not scores[1].any()


TEXTS = np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float32)


def test_popularity_comes_from_the_nearest_texts_weighted_by_their_cosine():
    nearest = nearest_texts(texts=TEXTS, cold=TEXTS[:1], n_neighbours=2)
    assert similar_popularity(np.array([10, 100, 1000]), nearest=nearest).tolist() == pytest.approx([(10 + 0.8 * 100) / 1.8])
    none = nearest_texts(texts=TEXTS, cold=-TEXTS[:1], n_neighbours=9)
    assert similar_popularity(np.array([10, 100, 1000]), nearest=none).tolist() == [0]


def test_scores_are_carried_over_from_items_of_similar_texts(unit_vectors):
    texts, cold = unit_vectors(30, 4), unit_vectors(7, 4, seed=2)
    scores = np.random.default_rng(0).random((5, 30)).astype(np.float32)
    found = carried_over(csr_matrix(scores), nearest=nearest_texts(texts=texts, cold=cold, n_neighbours=3))
    assert found.shape == (5, 7)
    for item in range(7):
        cosine = np.maximum(texts @ cold[item], 0)
        near = np.argsort(-cosine)[:3]
        wanted = (scores[:, near] * cosine[near]).sum(1) / cosine[near].sum()
        np.testing.assert_allclose(found[:, item], wanted, rtol=1e-5)
