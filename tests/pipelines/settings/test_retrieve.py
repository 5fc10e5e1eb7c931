from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from pipelines.settings.retrieve import RetrieveSettings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sources": ["fresh", "fresh"]}, "sources must differ"),
        ({"sources": ["two_towers"]}, r"sources must be among .*, got 'two_towers'; the nearest is 'two_tower'"),
        ({"sources": "two_tower"}, r'sources must be "auto" or a list of names, got .two_tower.'),
        ({"sources": []}, r'sources must be "auto" or a list of names, got \[\]'),
        ({"quotas": {"fresh": 2}}, 'sources must be named for quotas to hold, got "auto"'),
        ({"sources": ["two_tower"], "quotas": {"fresh": 2}}, "quotas must be of sources in use, got one of fresh"),
        (
            {"sources": ["two_tower", "fresh"], "quotas": {"fresh": 11}, "k": 10},
            "quotas must not exceed k in all, got 11 and 10",
        ),
        (
            {"sources": ["two_tower", "fresh"], "quotas": {"fresh": 1}, "caps": {"genre": 2}},
            "quotas must not stand beside caps",
        ),
        ({"min_age_days": 7.0}, "released must name the time column"),
        ({"now": "tomorrow"}, "now must be a time such as"),
        ({"categories": {"genre": []}}, "at least 1 item"),
        ({"caps": {"genre": 0}}, "greater than or equal to 1"),
    ],
)
def test_candidates_that_cannot_be_made_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        RetrieveSettings.model_validate(settings)


def test_the_moment_is_now_or_what_is_said_and_utc_without_a_zone() -> None:
    assert abs((RetrieveSettings().as_of() - datetime.now(UTC)).total_seconds()) < 60
    assert RetrieveSettings(now="2026-01-02").as_of() == datetime(2026, 1, 2, tzinfo=UTC)
    assert RetrieveSettings(now="2026-01-02T03:00:00+02:00").as_of() == datetime(2026, 1, 2, 1, tzinfo=UTC)
