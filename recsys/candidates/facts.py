"""What the stage `retrieve` tells of the lists."""

from dataclasses import dataclass
from typing import Any

from recsys.candidates.sources.choice import SourceName
from recsys.splits.facts import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrieveFacts:
    """The candidate table in numbers.

    Attributes:
        n_users: Users with a list.
        n_unknown_users: Users asked for that have no history.
        is_part_of_users: Whether a file named who gets a list.
        k: Length of the lists.
        n_rows: Rows of the table.
        n_short_lists: Lists with fewer than k items.
        n_items_recommended: Distinct items in the lists.
        n_allowed_items: Items that may be in them.
        is_filtered: Whether rules, caps or deletions keep items out.
        filters_as_of: The moment that rules about time hold for, ISO 8601; None without rules.
        sources: Where candidates come from.
        scope: Whether lists hold what is new to a user, or all.
        weights: For each scope that lists were made for, the learned weight of each source; empty where there is none.
        validation_ndcg: Likewise NDCG@10 on validation of each source and of all together.
        adds: Likewise what all together lose there without each source.
        source_shares: Of the items in the lists, the share of each source that gave most to them.
        n_added_items: Items without a train event that can be in a list.
        n_deleted_items: Items that no list may hold.
        learn_seconds: Until the sources were weighed.
        search_seconds: Of the search.
        write_seconds: Of the check and the table.
    """

    n_users: int
    n_unknown_users: int
    is_part_of_users: bool
    k: int
    n_rows: int
    n_short_lists: int
    n_items_recommended: int
    n_allowed_items: int
    is_filtered: bool
    filters_as_of: str | None
    sources: list[SourceName]
    scope: Scope
    weights: dict[str, dict[str, float]]
    validation_ndcg: dict[str, dict[str, float]]
    adds: dict[str, dict[str, float]]
    source_shares: dict[str, float]
    n_added_items: int
    n_deleted_items: int
    learn_seconds: float
    search_seconds: float
    write_seconds: float

    def source_rows(self) -> list[dict[str, Any]]:
        """Each source of the published lists with its weight, its share, and what it is worth on validation, the largest first.

        Nothing where no weights were learned.
        """
        ndcg, adds = self.validation_ndcg[self.scope], self.adds[self.scope]
        rows = [
            {"name": name, "weight": weight, "share": self.source_shares[name], "alone": ndcg[name], "adds": adds[name]}
            for name, weight in self.weights[self.scope].items()
        ]
        return sorted(rows, key=lambda row: (-row["share"], row["name"]))
