"""What an approximate index is to the rest: how it is built, opened and made to look further."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from recsys.index.nearest import Nearest, Vectors


class Build(Protocol):
    """How a file is made."""

    def __call__(self, path: Path, vectors: Vectors, *, form: str, seed: int) -> None:
        """Build one form of the index from vectors, shape (I, D), and write it, atomically."""


class Open(Protocol):
    """How a file is searched."""

    def __call__(self, path: Path, vectors: Vectors, *, form: str, effort: int, tuned_k: int) -> Nearest:
        """Open a file; `effort` is for lists of `tuned_k`, and longer lists look further in proportion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """An approximate index; `choice.py` names them all.

    Attributes:
        forms: What can be built, each tried by itself.
        build: Of one form.
        open: The file of one form.
        least_effort: Where the search for an effort begins: a form and a list length k to the least that makes sense.
        is_available: Whether what it needs is installed.
    """

    forms: tuple[str, ...]
    build: Build
    open: Open
    least_effort: Callable[[str, int], int]
    is_available: Callable[[], bool]
