"""Whom and what lists name, and how a finished search becomes a table: checked, in users' order."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recsys.candidates.candidate_search import SearchPlan
from recsys.candidates.item_rules import read_ids
from recsys.candidates.parts import Parts
from recsys.candidates.seen import read_seen
from recsys.candidates.sources.choice import TWO_TOWER
from recsys.candidates.table import Written, write_candidates
from recsys.core.columns import ITEM_ID, SIMILAR_ITEM_ID, USER_ID
from recsys.core.errors import DataError
from recsys.data.vocabulary import Vocabulary
from recsys.index.filters import n_possible
from recsys.index.nearest import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Users and items of a run.

    Attributes:
        users: Who has a history.
        items: What can be in a list, those added since at the end.
        metadata: What goes into each table beside its rows.
        pairs: Folder of the stage, with the histories.
    """

    users: Vocabulary
    items: Vocabulary
    metadata: dict[str, str]
    pairs: Path

    def choose_users(self, path: str | None) -> tuple[NDArray[np.int64], int]:
        """All users, or those of a file who have a history, in users' order, and how many of the file have none.

        Args:
            path: The file; None for all users.

        Raises:
            DataError: None of them has a history.
        """
        if path is None:
            return np.arange(len(self.users)), 0
        asked = set(read_ids(path, column=USER_ID, name="retrieve.users"))
        known = np.flatnonzero(self.users.ids.is_in(list(asked)).to_numpy())
        if not len(known):
            raise DataError(f"retrieve.users: some user of {path} must have a history, got none of {len(asked)}; check the ids")
        return known, len(asked) - len(known)

    def write_lists(self, path: Path, parts: Parts, user_idx: NDArray[np.int64], *, plan: SearchPlan) -> Written:
        """The lists of users as a table.

        Args:
            path: The table.
            parts: Of a finished search for these users.
            user_idx: Shape (B,), ascending.
            plan: What was asked for.

        Raises:
            DataError: Lists that are not capped, and in which the model has a say, are not as long as they can be.
        """
        blocks = self._checked(parts, user_idx, plan)
        return write_candidates(path, blocks, users=self.users, items=self.items, metadata=self.metadata, sources=plan.sources)

    def write_similar(self, path: Path, parts: Parts) -> Path:
        """The items nearest to each item as a table.

        Args:
            path: The table.
            parts: Of a finished search for all items.
        """
        blocks = ((np.arange(rows.start, rows.stop), found) for rows, found in parts.read_all())
        columns = (ITEM_ID, SIMILAR_ITEM_ID)
        write_candidates(path, blocks, users=self.items, items=self.items, metadata=self.metadata, columns=columns)
        return path

    def _checked(
        self, parts: Parts, user_idx: NDArray[np.int64], plan: SearchPlan
    ) -> Iterator[tuple[NDArray[np.int64], Found]]:
        seen = read_seen(self.pairs, beside=plan.taken)
        is_full = (plan.weights is not None or TWO_TOWER in plan.sources) and plan.caps is None
        for rows, found in parts.read_all():
            idx = user_idx[rows.start : rows.stop]
            if is_full:
                taken = seen.of(idx).nothing() if plan.keeps_seen else seen.of(idx)
                possible = n_possible(taken, k=parts.k, n_items=len(self.items), allowed=plan.allowed)
                short = np.flatnonzero((found.lists.item_idx >= 0).sum(1) != possible)
                if len(short):
                    raise DataError(
                        f"retrieve: user '{self.users.ids[int(idx[short[0]])]}' must have {possible[short[0]]} candidates, "
                        f"got another number ({len(short)} such users); nothing was published; run again, and report this if "
                        "it stays"
                    )
            yield idx, found
