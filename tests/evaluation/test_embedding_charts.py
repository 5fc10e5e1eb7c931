import numpy as np

from recsys.evaluation.embedding_charts import draw_map, draw_norms


def test_large_groups_have_a_colour_each_and_the_rest_is_other():
    rng = np.random.default_rng(0)
    groups = [f"genre {position % 12:02d}" for position in range(240)] + [None] * 5 + ["genre 00"] * 30
    drawn = draw_map(rng.normal(size=(275, 2)), groups, heading="a <heading>")
    assert drawn.startswith("<svg") and "<heading>" not in drawn
    assert "genre 00" in drawn and "other" in drawn and "genre 11" not in drawn


def test_without_groups_there_is_still_a_map():
    assert draw_map(np.zeros((3, 2)), [None, None, None], heading="items").startswith("<svg")


def test_lengths_are_drawn_even_of_items_without_events():
    assert "train events of an item" in draw_norms(np.ones(4, np.float32), np.array([0, 1, 10, 100]))
