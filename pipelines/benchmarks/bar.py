"""A bar: what was measured, against whom, and whether it holds."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Figure = Literal["ratio", "ours"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """Where benchmarks read and write, as absolute paths.

    Attributes:
        run: The MovieLens-1M run folder, with the stages split and pairs done.
        folder: Where results, logs and the peers' environments go.
    """

    run: Path
    folder: Path

    def part(self, name: str) -> str:
        """The Parquet file of one part of the split, as jobs name it."""
        return str(self.run / "split" / f"{name}.parquet")

    def log(self, name: str) -> Path:
        """Where the words of a process go."""
        return self.folder / "logs" / f"{name}.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One condition of a bar.

    Attributes:
        figure: What it is about.
        sense: The direction in which it holds.
        value: The limit itself, which still holds.
    """

    figure: Figure
    sense: Literal[">=", "<="]
    value: float

    def __str__(self) -> str:
        return f"{self.figure} {self.sense} {self.value:g}"

    def holds(self, measured: float | None) -> bool:
        """Whether a figure is on the right side; one that could not be measured is not."""
        if measured is None:
            return False
        return measured >= self.value if self.sense == ">=" else measured <= self.value


def at_least(figure: Figure, value: float) -> Limit:
    """More is better."""
    return Limit(figure=figure, sense=">=", value=value)


def at_most(figure: Figure, value: float) -> Limit:
    """Less is better."""
    return Limit(figure=figure, sense="<=", value=value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One bar, measured.

    Attributes:
        name: Also of its file.
        what: What was done on both sides, so that the figures can be judged.
        unit: Of `ours` and `peer`.
        ours: None if it was not reached.
        peer: The same of the peer.
        peer_version: Who that is.
        ratio: How the two compare; None if either is missing.
        limits: What must hold.
    """

    name: str
    what: str
    unit: str
    ours: float | None
    peer: float | None
    peer_version: str
    ratio: float | None
    limits: tuple[Limit, ...]

    @property
    def bar(self) -> str | None:
        """The limits in words, if there are any."""
        return " and ".join(str(limit) for limit in self.limits) or None

    @property
    def holds(self) -> bool | None:
        """Whether all limits hold; None for what is only reported."""
        if not self.limits:
            return None
        measured = {"ratio": self.ratio, "ours": self.ours}
        return all(limit.holds(measured[limit.figure]) for limit in self.limits)

    def as_dict(self) -> dict[str, Any]:
        """What the file of the bar says, figures to four digits."""
        figures = {"ours": self.ours, "peer": self.peer, "ratio": self.ratio}
        rounded = {name: None if value is None else float(f"{value:.4g}") for name, value in figures.items()}
        words = {"name": self.name, "what": self.what, "peer_version": self.peer_version, "unit": self.unit}
        return words | rounded | {"bar": self.bar, "holds": self.holds}


def within(limit: float, *, name: str, what: str, unit: str, ours: float) -> Result:
    """A bar without a peer: ours must stay within a limit."""
    return Result(
        name=name,
        what=what,
        unit=unit,
        ours=ours,
        peer=limit,
        peer_version="a limit, no library",
        ratio=ours / limit,
        limits=(at_most("ours", limit),),
    )


Measure = Callable[[Workspace], Iterator[Result]]


def in_words(settings: Mapping[str, Any]) -> str:
    """Settings as `name value, name value`."""
    return ", ".join(f"{name} {value}" for name, value in settings.items())
