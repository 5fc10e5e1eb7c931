"""What a stage tells the next: a frozen dataclass in the manifest of its folder, written and read whole."""

from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from recsys.core.errors import ArtefactError
from recsys.core.files import MANIFEST, read_json


class Facts(Protocol):
    """Any dataclass whose fields are JSON."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


F = TypeVar("F", bound=Facts)


def as_table(facts: Facts) -> dict[str, Any]:
    """The facts as JSON has them."""
    return asdict(facts)


def read_facts(folder: Path, kind: type[F]) -> F:
    """Read the facts of a finished stage.

    Args:
        folder: Of the stage.
        kind: The dataclass that it wrote.

    Raises:
        ArtefactError: There is no manifest, or it is of another version.
    """
    return from_table(read_json(folder / MANIFEST)["facts"], kind, source=folder / MANIFEST)


def from_table(table: dict[str, Any], kind: type[F], *, source: Path) -> F:
    """Facts from a table of JSON.

    Args:
        table: As `as_table` gives it.
        kind: The dataclass that it was.
        source: The file it was read from, for the error.

    Raises:
        ArtefactError: A field is missing, or one is not known.
    """
    names = {field.name for field in fields(kind)}
    if other := names ^ table.keys():
        raise ArtefactError(
            f"{source} must be of this version, got one that differs in {', '.join(sorted(other))}; make it again"
        )
    return kind(**table)
