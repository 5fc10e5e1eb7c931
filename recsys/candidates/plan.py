"""What is asked for, in terms of the vocabulary: which items are allowed, what is capped, the orders of the sources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.candidates.candidate_search import SearchPlan
from recsys.candidates.caps import Caps
from recsys.candidates.changes import Changes, read_changes
from recsys.candidates.item_rules import ItemRules, allowed_items
from recsys.candidates.sources.choice import TWO_TOWER, SourceName
from recsys.candidates.sources.in_order import fresh_order
from recsys.core.columns import ITEM_ID, USER_IDX
from recsys.core.errors import ArtefactError, DataError
from recsys.core.files import read_array, sha256_of
from recsys.data.schema import category_columns
from recsys.data.vocabulary import Vocabulary
from recsys.features.attributes import fit_attributes


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What lists are asked for.

    Attributes:
        k: Length of the lists.
        sources: Where candidates come from, in the order of precedence.
        weights: Of each source; None merges them by rank.
        quotas: Least number of items of a source.
        keeps_seen: Whether lists may hold what a user has taken before.
        fitted: The folder of fitted baselines, where some are sources.
        caps: For a category column, the most items of one value in a list.
        rules: Which items may be recommended at all.
        fresh_days: Days since an item's first event that make it fresh.
    """

    k: int
    sources: Sequence[SourceName] = (TWO_TOWER,)
    weights: Sequence[float] | None = None
    quotas: Mapping[SourceName, int] = field(default_factory=dict)
    keeps_seen: bool = False
    fitted: Path | None = None
    caps: Mapping[str, int] = field(default_factory=dict)
    rules: ItemRules = field(default_factory=ItemRules)
    fresh_days: float = 30.0


def read_catalogue_changes(run: Path) -> Changes:
    """What the index of a run does not hold: items with a vector by their texts, items added, items deleted.

    Args:
        run: The run folder.

    Raises:
        ArtefactError: The stage `embed` is not done.
    """
    vectors, cold = run / "embed" / "items.npy", run / "embed" / "cold_items.parquet"
    if not vectors.is_file():
        raise ArtefactError(f"{run} must be a run with embeddings, got no {vectors.name}; finish it with make run")
    changes = read_changes(run / "changes", model=sha256_of(vectors), dim=read_array(vectors).shape[1])
    return changes.after(pl.read_parquet(cold)) if cold.is_file() else changes


def build_plan(asked: Asked, table: pl.DataFrame, *, items: Vocabulary, pairs: Path, changes: Changes) -> SearchPlan:
    """Work out what the search must know.

    Args:
        asked: What lists are asked for.
        table: The items, as the stage `ingest` wrote them.
        items: The vocabulary.
        pairs: The folder of the stage `pairs`.
        changes: Items added and deleted since.

    Raises:
        DataError: A column or a value is not there, or nothing is left to recommend.
    """
    orders: dict[str, np.ndarray] = {}
    if "fresh" in asked.sources:
        item_idx, timestamp = _train_events(pairs)
        orders["fresh"] = fresh_order(item_idx, timestamp, n_items=len(items), days=asked.fresh_days)
    extended = changes.extend(items)
    allowed = allowed_items(asked.rules, table, items=extended)
    sources, weights = _heard(tuple(asked.sources), None if asked.weights is None else tuple(asked.weights), changes)
    return SearchPlan(
        sources=sources,
        weights=weights,
        keeps_seen=asked.keeps_seen,
        fitted=asked.fitted,
        quotas=tuple(asked.quotas.get(name, 0) for name in asked.sources),
        orders=orders,
        allowed=changes.remaining(extended, allowed),
        caps=_build_caps(asked.caps, table, items=extended) if asked.caps else None,
        added=changes.vectors if len(changes.added) else None,
        added_ids=tuple(changes.added),
        taken=_taken(pairs, changes, n_items=len(items)),
        has_rules=allowed is not None,
        k=asked.k,
    )


def update_plan(plan: SearchPlan, changes: Changes, *, items: Vocabulary, pairs: Path) -> SearchPlan:
    """A plan of a finished run with the changes that came after it; rules are applied to new items at the next `retrieve`.

    Args:
        plan: The plan.
        changes: The changes of now.
        items: The vocabulary.
        pairs: The folder of the stage `pairs`.
    """
    extended = changes.extend(items)
    allowed, caps = plan.allowed, plan.caps
    of_plan = {identifier: len(items) + number for number, identifier in enumerate(plan.added_ids)}
    before = np.array([of_plan.get(identifier, -1) for identifier in changes.added], np.int64)  # where each stood, if it did
    number = np.concatenate([np.arange(len(items)), before])
    if allowed is not None:
        allowed = np.where(number >= 0, allowed[number], not plan.has_rules)
    if caps is not None:
        caps = replace(caps, categories=np.where(number[:, None] >= 0, caps.categories[number], -1).astype(np.int32))
    sources, weights = _heard(plan.sources, plan.weights, changes)
    return replace(
        plan,
        sources=sources,
        weights=weights,
        allowed=changes.remaining(extended, allowed),
        caps=caps,
        added=changes.vectors if len(changes.added) else None,
        added_ids=tuple(changes.added),
        taken=_taken(pairs, changes, n_items=len(items)),
    )


def _heard(
    sources: tuple[SourceName, ...], weights: tuple[float, ...] | None, changes: Changes
) -> tuple[tuple[SourceName, ...], tuple[float, ...] | None]:
    """Sources and their weights, with the towers among them where items were added, which no other source knows.

    Of these the towers speak for all sources; of others they say no more than before.
    """
    if weights is None or TWO_TOWER in sources or not len(changes.added):
        return sources, weights
    return (*sources, TWO_TOWER), (*weights, 0.0)


def _taken(pairs: Path, changes: Changes, *, n_items: int) -> NDArray[np.int64] | None:
    """Who took which of the items added, before the request: such events are in no history, since train knows no such item."""
    unknown = pairs / "unknown_events.parquet"
    if not (len(changes.added) and unknown.is_file()):
        return None
    added = pl.DataFrame({ITEM_ID: changes.added}).with_row_index("number", offset=n_items)
    taken = pl.read_parquet(unknown).join(added, on=ITEM_ID)
    return taken.select(pl.col(USER_IDX, "number").cast(pl.Int64)).sort(USER_IDX, "number").to_numpy() if taken.height else None


def _train_events(pairs: Path) -> tuple[np.ndarray, np.ndarray]:
    """Items and times of the events that train knows, without the validation tail of each history."""
    item_idx, timestamp = read_array(pairs / "item_idx.npy"), read_array(pairs / "timestamp.npy")
    offsets, train_end = read_array(pairs / "offsets.npy"), read_array(pairs / "train_end.npy")
    number = np.arange(len(item_idx))
    is_train = number < np.repeat(train_end, np.diff(offsets))
    return item_idx[is_train], timestamp[is_train]


def _build_caps(limits: Mapping[str, int], table: pl.DataFrame, *, items: Vocabulary) -> Caps:
    for column in limits:
        if column not in category_columns(table):
            known = ", ".join(category_columns(table)) or "none"
            raise DataError(
                f"retrieve.caps: '{column}' must be a category column of items, got columns: {known}; correct the profile"
            )
    encoded = fit_attributes(table.select(ITEM_ID, *limits), vocabulary=items, id_column=ITEM_ID)
    if encoded.n_cut:
        raise DataError(
            f"retrieve.caps: an item must have at most 32 categories of {', '.join(limits)}, got more for {encoded.n_cut} items"
        )
    of_category = [
        next(limit for column, limit in limits.items() if name.startswith(f"{column}=")) for name in encoded.category_names
    ]
    return Caps(categories=encoded.categories - 1, limits=np.array(of_category, np.int64))
