"""What the stage `ingest` tells of the log."""

from dataclasses import dataclass

from recsys.data.ties import Order


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestFacts:
    """A clean log in numbers.

    Attributes:
        n_events: Events kept.
        n_users: Distinct users.
        n_items: Distinct items with an event.
        has_time: Whether timestamps are times, or the order only.
        n_tied_events: Events that share their user's previous time.
        ties: In which order these stand.
        tie_fixed_share: Share of neighbours at one time that stand in the order that the same two items have elsewhere; 0.5 is
            chance. None if that is of none known.
        tie_ascending_share: Share of them whose ids ascend, likewise.
        is_tie_order_sorted: Whether that is more order than events at different times have: a sort of the export.
        ties_seed: Of that order, where it is drawn.
        items_without_attributes: Items with an event of which nothing else is known.
        items_without_events: Items of the side table that nobody took.
        users_without_attributes: Users of whom nothing else is known.
        end: The moment before which the log ends, ISO 8601, where its last days are left out; else None.
        source_files: The raw files that were read, with their SHA-256.
        licence: Terms of the data; empty if none are known.
    """

    n_events: int
    n_users: int
    n_items: int
    has_time: bool
    n_tied_events: int
    ties: Order
    tie_fixed_share: float | None
    tie_ascending_share: float | None
    is_tie_order_sorted: bool
    ties_seed: int
    items_without_attributes: int
    items_without_events: int
    users_without_attributes: int
    end: str | None
    source_files: dict[str, str]
    licence: str
