from pathlib import Path

import pytest

from recsys.candidates.facts import RetrieveFacts
from recsys.core.facts import read_facts


@pytest.fixture
def facts(finished: Path) -> RetrieveFacts:
    return read_facts(finished / "retrieve", RetrieveFacts)


def test_sources_stand_by_their_share_with_what_validation_said(facts: RetrieveFacts) -> None:
    weighed = RetrieveFacts(
        **{name: getattr(facts, name) for name in RetrieveFacts.__slots__}
        | {
            "weights": {"new": {"two_tower": 0.3, "ease": 1.0}, "all": {}},
            "source_shares": {"two_tower": 0.1, "ease": 0.9},
            "validation_ndcg": {"new": {"two_tower": 0.2, "ease": 0.25, "fusion": 0.3}, "all": {}},
            "adds": {"new": {"two_tower": 0.05, "ease": 0.1}, "all": {}},
        }
    )
    rows = weighed.source_rows()
    assert [row["name"] for row in rows] == ["ease", "two_tower"]
    assert rows[1] == {"name": "two_tower", "weight": 0.3, "share": 0.1, "alone": 0.2, "adds": 0.05}


def test_named_sources_have_no_weights_to_show(facts: RetrieveFacts) -> None:
    assert facts.source_rows() == []
