"""A finished run, opened: candidates of a user, neighbours of an item."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.candidates.candidate_search import CandidateSearch, SearchPlan, open_search
from recsys.candidates.table import candidate_frame
from recsys.core.columns import ITEM_ID, RANK, SCORE, USER_ID
from recsys.core.errors import DataError
from recsys.core.files import read_array
from recsys.data.vocabulary import Vocabulary, read_vocabulary
from recsys.index.filters import SeenItems
from recsys.index.nearest import check_list_length


class Retriever:
    """Answers as the stage `retrieve` does: the same vectors, index and seen items.

    Args:
        users: Who has a history.
        items: What train knows.
        item_vectors: Shape (I, D), of the items that train knows.
        search: Sources, filters, caps and index.
    """

    def __init__(
        self, *, users: Vocabulary, items: Vocabulary, item_vectors: NDArray[np.float32], search: CandidateSearch
    ) -> None:
        self.users, self._vocabulary, self._item_vectors, self._search = users, items, item_vectors, search
        added = pl.Series(search.plan.added_ids, dtype=pl.String)
        self.items = Vocabulary(ids=pl.concat([items.ids, added]))

    @property
    def sources(self) -> tuple[str, ...]:
        """Where candidates come from."""
        return self._search.plan.sources

    @property
    def keeps_seen(self) -> bool:
        """Whether lists may hold what a user has taken before."""
        return self._search.plan.keeps_seen

    def vectors(self, idx: NDArray[np.int64]) -> NDArray[np.float32]:
        """Vectors of items of train and of those added, by their idx in `items`. Shape (N, D)."""
        added, n_own = self._search.plan.added, len(self._item_vectors)
        is_own = idx < n_own
        found = np.empty((len(idx), self._item_vectors.shape[1]), np.float32)
        found[is_own] = self._item_vectors[idx[is_own]]
        if added is not None:
            found[~is_own] = added[idx[~is_own] - n_own]
        return found

    def idx_of(self, item_id: str) -> int | None:
        """The idx in `items` of an item of train or one added; None if there is none."""
        idx, added = self._vocabulary.idx_of(item_id), self._search.plan.added_ids
        return len(self._item_vectors) + added.index(item_id) if idx is None and item_id in added else idx

    def recommend(self, user_ids: Sequence[str], *, k: int, allowed: NDArray[np.bool_] | None = None) -> pl.DataFrame:
        """The best k items of each known user, as the plan has them: user_id, item_id, rank, score, in the order asked.

        Users that train does not know get no rows.

        Args:
            user_ids: Who asks.
            k: Length of the lists.
            allowed: A filter of this request beside those of the run, shape (I,).

        Raises:
            DataError: k is larger than the catalogue.
        """
        check_list_length(k, n_items=len(self.items), name="recommend")
        found = [idx for idx in (self.users.idx_of(user) for user in user_ids) if idx is not None]
        user_idx = np.array(found, np.int64)
        answer = self._search.answer(user_idx, k=k, allowed=allowed)
        sources = self._search.plan.sources
        return candidate_frame(user_idx, answer, users=self.users, items=self.items, sources=sources)

    def similar(self, item_id: str, *, k: int) -> pl.DataFrame:
        """The k items nearest to one item, of train or added since: item_id, rank, score.

        Raises:
            DataError: The item has no vector, or k is larger than the catalogue.
        """
        check_list_length(k, n_items=len(self.items), name="similar")
        idx = self.idx_of(item_id)
        if idx is None:
            raise DataError(f"similar: the item must be in the training set or added, got '{item_id}'; check the id")
        vector = self.vectors(np.array([idx]))
        itself = SeenItems(item_idx=np.array([idx]), starts=np.array([0]), ends=np.array([1]))
        found = self._nearest(vector, k=k, seen=itself, allowed=None)
        return found.drop("query")

    def nearest(self, queries: NDArray[np.float32], *, k: int, allowed: NDArray[np.bool_] | None = None) -> pl.DataFrame:
        """The k items nearest to each of some vectors: query, item_id, rank, score.

        Args:
            queries: Shape (Q, D) unit vectors; `query` counts them from 0.
            k: Length of the lists.
            allowed: A filter of this request beside those of the run, shape (I,).

        Raises:
            DataError: k is larger than the catalogue.
        """
        check_list_length(k, n_items=len(self.items), name="nearest")
        return self._nearest(queries, k=k, seen=None, allowed=allowed)

    def _nearest(
        self, queries: NDArray[np.float32], *, k: int, seen: SeenItems | None, allowed: NDArray[np.bool_] | None
    ) -> pl.DataFrame:
        found = self._search.index.search(queries, k=k, seen=seen, allowed=self.allowed(allowed))
        query, rank = np.nonzero(found.item_idx >= 0)
        columns = {
            "query": query,
            ITEM_ID: self.items.ids.gather(found.item_idx[query, rank]),
            RANK: (rank + 1).astype(np.int32),
            SCORE: found.score[query, rank],
        }
        return pl.DataFrame(columns)

    def allowed(self, asked: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
        """A filter of a request together with those of the run. Shape (I,); None if nothing is filtered."""
        rules = [rule for rule in (self._search.plan.allowed, asked) if rule is not None]
        return np.logical_and.reduce(rules) if rules else None

    def history(self, user_id: str) -> list[str]:
        """What one user has seen, oldest first.

        Raises:
            DataError: Train does not know the user.
        """
        idx = self.users.idx_of(user_id)
        if idx is None:
            raise DataError(f"the user must be in the training set, got '{user_id}'; check the id")
        seen = self._search.seen.of(np.array([idx])).row(0)
        return [str(item) for item in self.items.ids.gather(seen)]


def open_retriever(*, pairs: Path, embed: Path, index: Path, search: Path | SearchPlan) -> Retriever:
    """Open the folders of a run; vectors and index are memory-mapped.

    Args:
        pairs: The folder of the stage `pairs`.
        embed: The folder of the stage `embed`.
        index: The folder of the stage `index`.
        search: The folder `search` of the stage `retrieve`: sources, filters and caps; or a plan.
    """
    return Retriever(
        users=read_vocabulary(pairs / "users.parquet", id_column=USER_ID),
        items=read_vocabulary(pairs / "items.parquet", id_column=ITEM_ID),
        item_vectors=read_array(embed / "items.npy"),
        search=open_search(pairs=pairs, embed=embed, index=index, plan=search),
    )
