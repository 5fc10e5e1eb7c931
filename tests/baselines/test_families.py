from recsys.baselines.facts import BASELINES
from recsys.baselines.families import families


def test_every_baseline_but_the_blend_has_a_grid():
    assert {*families(n_items=30, seed=0), "blend"} == set(BASELINES)


def test_a_large_catalogue_has_a_shorter_grid_of_ease():
    few, many = (len(families(n_items=n_items, seed=0)["ease"].fits) for n_items in (5_999, 6_000))
    assert (few, many) == (4, 2)
