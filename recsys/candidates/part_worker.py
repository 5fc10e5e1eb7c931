"""One worker of a batch job: it opens model vectors and index once, then answers part after part. It may run anywhere."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from recsys.candidates.candidate_search import SearchPlan, open_search
from recsys.candidates.parts import Parts
from recsys.core.files import read_array
from recsys.index.filters import SeenItems
from recsys.index.nearest import Found

JobKind = Literal["users", "items"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a worker needs to know; only paths and numbers, so that it can be sent to another process.

    Attributes:
        kind: Candidates of `users`, or neighbours of `items`.
        parts: Where answers go.
        rows: The `.npy` file of user or item idx, ascending.
        pairs: Folder of the stage.
        embed: Folder of the stage.
        index: Folder of the stage.
        plan: Folder that the search plan was written to.
    """

    kind: JobKind
    parts: Parts
    rows: Path
    pairs: Path
    embed: Path
    index: Path
    plan: Path


class PartWorker:
    """Does the parts of one job.

    Args:
        job: The job.
        plan: The search plan where it is at hand; else it is read from the folder that the job names.
    """

    def __init__(self, job: Job, *, plan: SearchPlan | None = None) -> None:
        self._job, self._rows = job, read_array(job.rows)
        self._search = open_search(pairs=job.pairs, embed=job.embed, index=job.index, plan=plan or job.plan)
        if job.kind == "items":
            items, added = read_array(job.embed / "items.npy"), self._search.plan.added
            self._items = items if added is None else np.concatenate([items, added])

    def do(self, part: int) -> None:
        """Search for the rows of one part and put the answer on file."""
        rows = self._job.parts.rows(part)
        idx = np.array(self._rows[rows.start : rows.stop], np.int64)
        self._job.parts.write(part, self._similar(idx) if self._job.kind == "items" else self._users(idx))

    def _users(self, user_idx: np.ndarray) -> Found:
        return self._search.answer(user_idx, k=self._job.parts.k)

    def _similar(self, item_idx: np.ndarray) -> Found:
        rows = np.arange(len(item_idx))
        itself = SeenItems(item_idx=item_idx, starts=rows, ends=rows + 1)
        queries, allowed = np.array(self._items[item_idx]), self._search.plan.allowed
        return Found.of_one(self._search.index.search(queries, k=self._job.parts.k, seen=itself, allowed=allowed))
