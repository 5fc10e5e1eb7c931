"""Every baseline as a source: the lists that the model has to beat can be part of what is published."""

from collections.abc import Callable
from dataclasses import dataclass

from recsys.baselines.fitted import read_fitted
from recsys.baselines.ranking import Ranker, rank_by
from recsys.candidates.sources.source import Opened, Request, Source
from recsys.core.errors import ArtefactError
from recsys.index.nearest import Neighbours


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineSource:
    """A fitted baseline; it knows the items of train, and leaves out what its own users took.

    Attributes:
        ranker: The baseline, its users in the order of the run.
        n_items: I.
    """

    ranker: Ranker
    n_items: int

    def find(self, asked: Request) -> Neighbours:
        """See `Source.find`."""
        answer, width = Neighbours.empty(len(asked.user_idx), asked.k), min(asked.k, self.n_items)
        known = None if asked.allowed is None else asked.allowed[: self.n_items]
        for begin in range(0, len(asked.user_idx), self.ranker.rows):
            rows = slice(begin, begin + self.ranker.rows)
            found = self.ranker.rank(asked.user_idx[rows], width, asked.keeps_seen, known)
            answer.item_idx[rows, :width], answer.score[rows, :width] = found.item_idx, found.score
        return answer


def baseline(name: str) -> Callable[[Opened], Source]:
    """A source that was fitted by the stage `baselines`.

    Args:
        name: Of the baseline.
    """

    def open_baseline(opened: Opened) -> BaselineSource:
        if opened.fitted is None or opened.taken is None or not (opened.fitted / name).is_dir():
            raise ArtefactError(f"the baseline {name} must be on file to be a source, got nothing; run the stage baselines")
        ranker = rank_by(opened.taken, read_fitted(opened.fitted / name))
        return BaselineSource(ranker=ranker, n_items=opened.taken.n_items)

    return open_baseline
