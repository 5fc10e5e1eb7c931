"""Events of one user at one time: does the order in which the file has them mean anything?

Most exports sort the rows of a basket by article number; a model that learns this order finds held-out articles by number.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.core.columns import ITEM_ID, TIMESTAMP, USER_ID
from recsys.core.random import rng_for

Order = Literal["sets", "file", "shuffled", "unstable"]
Ties = Literal["auto", "sets", "file", "shuffled", "unstable"]

_POSITION = "__position__"
_ERRORS = 3.0  # standard errors beyond chance
_SLACK = 0.05  # more of a fixed order than this beside events apart is a sort


@dataclass(frozen=True, slots=True, kw_only=True)
class TieOrder:
    """What the order of neighbouring rows with one user and one time shows.

    Attributes:
        n_pairs: Neighbours of one user and time, on two items.
        fixed: Share of them that stand in the order in which the same two items stand elsewhere among ties; 0.5 is chance.
        fixed_apart: The same of neighbours whose times differ, each the only event of its time.
        ascending: Share of them with ascending item ids; 0.5 is chance.
        ascending_apart: The same of neighbours whose times differ.
        agreement: Share of them that stand in the order that the same two items mostly have where times differ.
        n_agreement: Pairs of which that is known.
    """

    n_pairs: int
    fixed: float | None
    fixed_apart: float | None
    ascending: float | None
    ascending_apart: float | None
    agreement: float | None
    n_agreement: int

    @property
    def is_sorted(self) -> bool:
        """Whether rows of one time are more in order than behaviour is: by an id, or by whatever column the export sorts by."""
        if self.ascending is None:
            return False
        least = max(_SLACK, _ERRORS * 0.5 / self.n_pairs**0.5)
        apart = 0.5 if self.ascending_apart is None else self.ascending_apart
        by_id = abs(self.ascending - 0.5) > abs(apart - 0.5) + least
        if self.fixed is None or self.fixed_apart is None:  # without lone events a sort and a habit look alike
            return bool(by_id)
        return bool(by_id or self.fixed > max(self.fixed_apart, 0.5) + least)

    @property
    def is_information(self) -> bool:
        """Whether the order is that of events: it follows the one seen where times differ, and is no sort."""
        if self.is_sorted or self.agreement is None:
            return False
        return bool(self.agreement - 0.5 > _ERRORS * 0.5 / self.n_agreement**0.5)


def examine_order(log: pl.DataFrame) -> TieOrder:
    """Compare the order of neighbours at one time with that of neighbours at different times.

    Args:
        log: user_id, item_id, timestamp, in the order of the file.
    """
    neighbours = _neighbours(log.select(USER_ID, ITEM_ID, TIMESTAMP))
    tied, apart = neighbours.filter("is_tied"), neighbours.filter(~pl.col("is_tied"))
    usual = apart.group_by("low", "high").agg(lean=2 * pl.col("is_ascending").cast(pl.Int64).sum() - pl.len())
    both = tied.join(usual.filter(pl.col("lean") != 0), on=["low", "high"])
    return TieOrder(
        n_pairs=tied.height,
        fixed=_fixed_share(tied),
        fixed_apart=_fixed_share(apart),
        ascending=_mean(tied["is_ascending"]),
        ascending_apart=_mean(apart["is_ascending"]),
        agreement=_mean((both["lean"] > 0) == both["is_ascending"]),
        n_agreement=both.height,
    )


def _neighbours(log: pl.DataFrame) -> pl.DataFrame:
    """Each event and the one before it of the same user, of one moment or both alone in theirs: two ranks of item ids."""
    number = log[ITEM_ID].cast(pl.Int64, strict=False)
    key = log[ITEM_ID] if number.null_count() else number
    log = log.with_columns(item=key.rank("dense").cast(pl.Int64)).sort(USER_ID, TIMESTAMP, maintain_order=True)
    before = pl.col("item").shift().over(USER_ID)
    is_alone = pl.len().over(USER_ID, TIMESTAMP) == 1
    return (
        log.select(
            low=pl.min_horizontal(before, "item"),
            high=pl.max_horizontal(before, "item"),
            is_ascending=before < pl.col("item"),
            is_tied=pl.col(TIMESTAMP) == pl.col(TIMESTAMP).shift().over(USER_ID),
            # Between two baskets the last row of a sort meets the first row of another: only lone events tell of behaviour.
            is_apart=is_alone & is_alone.shift().over(USER_ID),
        )
        .filter((pl.col("is_tied") | pl.col("is_apart")) & (pl.col("low") != pl.col("high")))
        .drop("is_apart")
    )


def _fixed_share(pairs: pl.DataFrame) -> float | None:
    """How often a pair's order is the majority among the pair's other appearances; by chance in half of the cases."""
    own = pl.col("is_ascending").cast(pl.Int64)
    lean = 2 * (own.sum().over("low", "high") - own) - (pl.len().over("low", "high") - 1)
    known = pairs.with_columns(lean=lean).filter(pl.col("lean") != 0)
    return _mean((known["lean"] > 0) == known["is_ascending"])


def _mean(holds: pl.Series) -> float | None:
    return float(holds.mean()) if len(holds) else None  # type: ignore[arg-type]


def choose_order(ties: Ties, found: TieOrder) -> Order:
    """What `auto` comes to: the order of the file where it means something, else sets."""
    if ties != "auto":
        return ties
    return "file" if found.n_pairs == 0 or found.is_information else "sets"


def sort_events(log: pl.DataFrame, *, ties: Order, seed: int) -> pl.DataFrame:
    """Sort a log by user and time, and put equal times of a user into the order that `ties` asks for.

    Args:
        log: One row an event, in the order of the file.
        ties: `file` keeps the order of the file; `sets` and `shuffled` draw one from `seed`, the same on every machine;
            `unstable` is what numpy's default sort of the whole log by time leaves, and depends on numpy's version and the
            processor.
        seed: Of the order that is drawn.

    Source: for `unstable`, `research/data/preprocessor.py` of Meta's generative-recommenders: pandas' `sort_values` by
        time with its default kind, then `groupby` user.
    """
    positions = pl.Series(_POSITION, _positions(log, ties, seed))
    return log.with_columns(positions).sort(USER_ID, TIMESTAMP, _POSITION).drop(_POSITION)


def _positions(log: pl.DataFrame, ties: Order, seed: int) -> NDArray[np.int64]:
    """Where among all rows each row stands, of which only the order within a user's equal times is used."""
    in_file = np.arange(log.height, dtype=np.int64)
    match ties:
        case "file":
            return in_file
        case "sets" | "shuffled":
            return rng_for(seed, "ties").permutation(in_file)
        case "unstable":
            positions = np.empty_like(in_file)
            positions[np.argsort(log[TIMESTAMP].to_physical().to_numpy())] = in_file
            return positions


def describe_order(ties: Order, *, seed: int) -> str:
    """The order in words."""
    match ties:
        case "file":
            return "as in the file"
        case "sets":
            return "as sets without an order"
        case "shuffled":
            return f"shuffled, seed {seed}"
        case "unstable":
            return (
                f"as an unstable sort of the whole log by time leaves them (numpy {np.__version__}; another version or "
                "processor may leave another order)"
            )
