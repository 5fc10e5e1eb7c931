import numpy as np

from pipelines.benchmarks.vectors import draw_between, draw_vectors, write_world


def test_vectors_have_length_1_and_come_in_topics() -> None:
    vectors, others = draw_vectors(500, seed=1), draw_vectors(500, seed=2)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    best = (vectors @ others.T).max(1)
    assert np.median(best) > 0.45
    assert (draw_vectors(500, seed=1) == vectors).all()


def test_each_user_of_a_world_has_seen_as_many_different_items(tmp_path) -> None:
    write_world(tmp_path, n_users=30, n_items=50, n_seen=7)
    seen = np.load(tmp_path / "pairs" / "item_idx.npy").reshape(30, 7)
    assert (np.diff(seen, axis=1) > 0).all()
    assert seen.min() >= 0
    assert seen.max() < 50
    assert np.load(tmp_path / "pairs" / "offsets.npy").tolist() == list(range(0, 211, 7))


def test_vectors_between_trained_ones_have_length_1_and_stay_near_one_of_them() -> None:
    trained = draw_vectors(20, seed=1)
    vectors = draw_between(trained, 300, seed=2)
    assert vectors.shape == (300, 64)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert (vectors @ trained.T).max(1).min() > 0.6
