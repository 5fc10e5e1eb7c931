import numpy as np
import pytest
from scipy.sparse import csr_matrix

from recsys.baselines.content import content_knn_scores, similar_popularity


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


def test_popularity_comes_from_the_nearest_texts_weighted_by_their_cosine():
    texts = np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float32)
    found = similar_popularity(np.array([10, 100, 1000]), texts=texts, cold=texts[:1], n_neighbours=2)
    assert found.tolist() == pytest.approx([(10 + 0.8 * 100) / 1.8])
    assert similar_popularity(np.array([10, 100, 1000]), texts=texts, cold=-texts[:1], n_neighbours=9).tolist() == [0]
