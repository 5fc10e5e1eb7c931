from typing import get_args

from recsys.baselines.families import families
from recsys.candidates.sources.choice import SOURCES, SourceName


def test_every_name_has_a_source_and_every_baseline_but_chance_is_one() -> None:
    assert set(get_args(SourceName)) == set(SOURCES)
    assert set(families(n_items=10, seed=0)) - {"random"} <= set(SOURCES)
