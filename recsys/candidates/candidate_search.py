"""All that decides a user's candidates, in one object: sources, quotas, filters, caps. Stage, actors and service share it."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recsys.baselines.blend import DEPTH, blend_lists, said
from recsys.baselines.fitted import read_user_items
from recsys.candidates.caps import Caps, search_under_caps
from recsys.candidates.fusion import fuse
from recsys.candidates.seen import SeenByUser, read_seen
from recsys.candidates.sources.choice import SOURCES, TWO_TOWER, SourceName
from recsys.candidates.sources.source import Opened, Request, Source
from recsys.core.errors import ArtefactError
from recsys.core.files import link_folder, read_array, read_json, write_array, write_json
from recsys.index.exact import ExactIndex
from recsys.index.nearest import Found, Nearest, Neighbours, Vectors
from recsys.index.published import open_index

_FITTED = "fitted"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPlan:
    """What is asked for, apart from model and index.

    Attributes:
        sources: Their names, in the order of precedence.
        weights: Of each source, learned on validation; None merges them by rank.
        quotas: Least number of items of each, where they are merged by rank.
        keeps_seen: Whether lists may hold what a user has taken before.
        fitted: The folder of fitted baselines, where some are sources.
        orders: For each source that is one order for all, its items, best first.
        allowed: Shape (I,), the items that may be recommended; None allows all.
        caps: Limits of categories; None for none.
        added: Shape (N, D), vectors of items that came after the model was trained; their idx follow those of the model.
        added_ids: Their ids.
        k: Length of the lists of the batch; answers are sought at least that far, so that shorter lists are its head.
        taken: Shape (N, 2), sorted: which user took which of the items added before the request; None if nobody did.
        has_rules: Whether `allowed` comes from rules, which say nothing of items that come later.
    """

    sources: tuple[SourceName, ...] = (TWO_TOWER,)
    weights: tuple[float, ...] | None = None
    quotas: tuple[int, ...] = (0,)
    keeps_seen: bool = False
    fitted: Path | None = None
    orders: dict[str, NDArray[np.int32]] = field(default_factory=dict)
    allowed: NDArray[np.bool_] | None = None
    caps: Caps | None = None
    added: Vectors | None = None
    added_ids: tuple[str, ...] = ()
    taken: NDArray[np.int64] | None = None
    has_rules: bool = False
    k: int = 0

    def write(self, folder: Path) -> None:
        """Write the plan as `plan.json` and arrays, with what it needs of fitted baselines beside them."""
        if self.fitted is not None:
            link_folder(self.fitted, folder / _FITTED, only=self.sources)
        for name, order in self.orders.items():
            write_array(folder / f"{name}.npy", order)
        if self.allowed is not None:
            write_array(folder / "allowed.npy", self.allowed)
        if self.caps is not None:
            write_array(folder / "cap_categories.npy", self.caps.categories)
            write_array(folder / "cap_limits.npy", self.caps.limits)
        if self.added is not None:
            write_array(folder / "added.npy", self.added)
        if self.taken is not None:
            write_array(folder / "taken.npy", self.taken)
        write_json(
            folder / "plan.json",
            {
                "sources": list(self.sources),
                "weights": None if self.weights is None else list(self.weights),
                "keeps_seen": self.keeps_seen,
                "quotas": list(self.quotas),
                "orders": sorted(self.orders),
                "has_allowed": self.allowed is not None,
                "has_caps": self.caps is not None,
                "has_added": self.added is not None,
                "added_ids": list(self.added_ids),
                "has_taken": self.taken is not None,
                "has_rules": self.has_rules,
                "k": self.k,
            },
        )


def read_plan(folder: Path) -> SearchPlan:
    """Read a plan.

    Raises:
        ArtefactError: It is missing or of an older version.
    """
    about = read_json(folder / "plan.json")
    if "weights" not in about:
        raise ArtefactError(f"{folder} must be a plan of this version, got an older one; run make again")
    caps = None
    if about["has_caps"]:
        caps = Caps(
            categories=np.array(read_array(folder / "cap_categories.npy")),
            limits=np.array(read_array(folder / "cap_limits.npy")),
        )
    return SearchPlan(
        sources=tuple(about["sources"]),
        weights=None if about["weights"] is None else tuple(about["weights"]),
        keeps_seen=about["keeps_seen"],
        fitted=folder / _FITTED if (folder / _FITTED).is_dir() else None,
        quotas=tuple(about["quotas"]),
        orders={name: np.array(read_array(folder / f"{name}.npy")) for name in about["orders"]},
        allowed=np.array(read_array(folder / "allowed.npy")) if about["has_allowed"] else None,
        caps=caps,
        added=np.array(read_array(folder / "added.npy")) if about["has_added"] else None,
        added_ids=tuple(about["added_ids"]),
        taken=np.array(read_array(folder / "taken.npy")) if about.get("has_taken") else None,
        has_rules=about["has_rules"],
        k=about["k"],
    )


class CandidateSearch:
    """Answers users with lists.

    Args:
        plan: What is asked for.
        sources: The sources of the plan, in its order.
        seen: What each user has taken.
        n_items: I.
        index: Over all items.
    """

    def __init__(self, plan: SearchPlan, sources: list[Source], *, seen: SeenByUser, n_items: int, index: Nearest) -> None:
        self.plan, self.seen, self.n_items, self.index = plan, seen, n_items, index
        self._sources = sources

    def answer(self, user_idx: NDArray[np.int64], *, k: int, allowed: NDArray[np.bool_] | None = None) -> Found:
        """Lists of k items, shorter only where nothing is left.

        Args:
            user_idx: Shape (B,).
            k: Length of the lists.
            allowed: A further filter of this request, shape (I,).
        """
        if self.plan.allowed is not None:
            allowed = self.plan.allowed if allowed is None else self.plan.allowed & allowed

        def fetch(rows: NDArray[np.int64], width: int) -> Found:
            return self._fused(user_idx[rows], width, allowed)

        # As far as the batch, so that a shorter list is its head, from an index and from several sources too.
        full = max(k, min(self.plan.k, self.n_items))
        if self.plan.caps is None:
            return fetch(np.arange(len(user_idx)), full).head(k)
        return search_under_caps(fetch, self.plan.caps, n_queries=len(user_idx), n_items=self.n_items, k=full).head(k)

    def _fused(self, user_idx: NDArray[np.int64], k: int, allowed: NDArray[np.bool_] | None) -> Found:
        weights = self.plan.weights
        asked = Request(
            user_idx=user_idx,
            k=k if weights is None else min(max(k, DEPTH), self.n_items),
            seen=self.seen.of(user_idx),
            allowed=allowed,
            keeps_seen=self.plan.keeps_seen,
        )
        lists = [source.find(asked) for source in self._sources]
        if len(lists) == 1:
            return Found.of_one(lists[0]).head(k)
        if weights is not None:
            return self._blend(lists, weights, k=k)
        return fuse(lists, k=k, quotas=self.plan.quotas)

    def _blend(self, lists: list[Neighbours], weights: tuple[float, ...], *, k: int) -> Found:
        """One list by weights. Of items added since, which the towers alone know, these speak for all sources."""
        n_known, heard = self.n_items - len(self.plan.added_ids), list[float | NDArray[np.float64]](weights)
        for number, name in enumerate(self.plan.sources):
            if name == TWO_TOWER:
                lists[number] = said(lists[number])
                heard[number] = np.where(lists[number].item_idx < n_known, weights[number], max(weights))
        return blend_lists(lists, heard, n_items=self.n_items, k=k)


def open_search(*, pairs: Path, embed: Path, index: Path, plan: Path | SearchPlan, is_exact: bool = False) -> CandidateSearch:
    """Open the folders of a run.

    Args:
        pairs: Of the stage `pairs`.
        embed: Of the stage `embed`.
        index: Of the stage `index`.
        plan: A plan, or the folder it was written to.
        is_exact: Search exactly, whatever the index is; to check an answer.
    """
    asked, items = plan if isinstance(plan, SearchPlan) else read_plan(plan), read_array(embed / "items.npy")
    n_items = len(items) + len(asked.added_ids)
    if is_exact:
        nearest: Nearest = ExactIndex(items if asked.added is None else np.concatenate([items, asked.added]))
    else:
        nearest = open_index(index, embed / "items.npy", added=asked.added)
    opened = Opened(
        index=nearest,
        items=items if asked.added is None else np.concatenate([items, asked.added]),
        users=embed / "users.npy",
        orders=asked.orders,
        fitted=asked.fitted,
        taken=None if asked.fitted is None else read_user_items(asked.fitted),
    )
    sources = [SOURCES[name](opened) for name in asked.sources]
    return CandidateSearch(
        asked,
        sources,
        seen=read_seen(pairs, beside=asked.taken),
        n_items=n_items,
        index=nearest,
    )
