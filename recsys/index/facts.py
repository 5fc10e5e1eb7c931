"""What an index is, and what it is bound to: `index.json`, which is what the stage `index` tells."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from recsys.core.errors import ArtefactError, IndexQualityError
from recsys.core.facts import from_table
from recsys.core.files import read_json
from recsys.index.nearest import Score

BackendName = Literal["annoy", "faiss"]  # those of `choice.py`


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexFacts:
    """An index and its measurement.

    Attributes:
        backend: Which kind of index.
        build: Its form.
        effort: How far it looks.
        k: List length of the measurement.
        recall: Against exact search, at k.
        queries_per_second: On one core; None where nothing was measured.
        why: Why this one.
        target_recall: The gate.
        score: By what training compared a user with an item.
        n_items: Items in the index.
        n_added: Those of them that were added to the model.
        vectors_sha256: Of the file of item vectors.
        added_sha256: Of the vectors added.
        index_sha256: Of the index file; None where there is none.
    """

    backend: Literal["exact", BackendName]
    build: str
    effort: int
    k: int
    recall: float
    queries_per_second: float | None
    why: str
    target_recall: float
    score: Score
    n_items: int
    n_added: int
    vectors_sha256: str
    added_sha256: str
    index_sha256: str | None


def read_index_facts(folder: Path) -> IndexFacts:
    """Read `index.json`.

    Raises:
        IndexQualityError: It is of another version.
    """
    path = folder / "index.json"
    table = read_json(path)
    try:
        return from_table(table, IndexFacts, source=path)
    except ArtefactError as error:
        raise IndexQualityError(str(error)) from None
