"""Sources that somebody names: are they there, and which of them have something to say for what lists are made of?"""

from collections.abc import Sequence
from pathlib import Path

from recsys.baselines.facts import BASELINES
from recsys.candidates.sources.choice import TWO_TOWER, SourceName
from recsys.core.errors import DataError
from recsys.splits.facts import Scope


def check_named(sources: Sequence[SourceName], *, fitted: Path, skipped: Sequence[str], has_time: bool) -> None:
    """Refuse sources that this run does not have, before anything is searched.

    Args:
        sources: Their names.
        fitted: Where fitted baselines are, one folder a scope.
        skipped: Baselines that the catalogue is too large for.
        has_time: Whether the log has times.

    Raises:
        DataError: One of them is not there.
    """
    if {"recent_popularity", "fresh"} & set(sources) and not has_time:
        raise DataError(
            "retrieve.sources: recent_popularity and fresh need a log with times, got an order of rows alone; leave them out"
        )
    there = {path.parent.name for path in fitted.glob("*/*/fitted.json")}
    for name in sources:
        if name in BASELINES and name not in there:
            cure = "raise [baselines] largest_catalogue" if name in skipped else f'put "{name}" into [baselines] names'
            raise DataError(f"retrieve.sources: {name} must be a baseline of this run, got none; {cure}, or leave it out")


def named_for(sources: Sequence[SourceName], scope: Scope) -> list[SourceName]:
    """Those that can list something: own history says nothing of what is new. The towers where none is left.

    >>> named_for(["own_history", "item_knn"], "new")
    ['item_knn']
    """
    return [name for name in sources if scope == "all" or name != "own_history"] or [TWO_TOWER]
