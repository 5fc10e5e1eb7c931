"""A long search in parts: each part is one file, there whole or not at all, so that a killed job goes on where it was."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recsys.core.errors import ArtefactError
from recsys.core.files import read_array, read_json, write_array, write_json
from recsys.index.nearest import Found, Neighbours

_CELL = np.dtype([("item_idx", "<i4"), ("score", "<f4"), ("source", "i1")])


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of one job.

    Attributes:
        folder: Where the part files are.
        n_rows: Queries in all.
        part_rows: Queries of one part.
        k: Length of the lists.
    """

    folder: Path
    n_rows: int
    part_rows: int
    k: int

    def __len__(self) -> int:
        return (self.n_rows + self.part_rows - 1) // self.part_rows

    def bind(self, about: Mapping[str, Any]) -> None:
        """Keep the parts that are there only if they belong to the same job.

        Args:
            about: All that the lists depend on; it goes on file, as a hash, beside the parts.
        """
        content = dict(about) | {"n_rows": self.n_rows, "part_rows": self.part_rows, "k": self.k}
        mark = {"job": hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()}
        path = self.folder / "job.json"
        if not path.is_file() or read_json(path) != mark:
            if self.folder.exists():
                shutil.rmtree(self.folder)
            write_json(path, mark)

    def rows(self, part: int) -> range:
        """The queries of a part."""
        return range(part * self.part_rows, min((part + 1) * self.part_rows, self.n_rows))

    def missing(self) -> list[int]:
        """The parts that are still to be done."""
        return [part for part in range(len(self)) if not self._path(part).is_file()]

    def write(self, part: int, found: Found) -> None:
        """Put one part on file."""
        cells = np.empty(found.source.shape, _CELL)
        cells["item_idx"], cells["score"], cells["source"] = found.lists.item_idx, found.lists.score, found.source
        write_array(self._path(part), cells)

    def read(self, part: int) -> Found:
        """One part.

        Raises:
            ArtefactError: It holds another number of lists.
        """
        cells = read_array(self._path(part))
        if cells.dtype != _CELL or cells.shape != (len(self.rows(part)), self.k):
            raise ArtefactError(
                f"{self._path(part)} must hold {len(self.rows(part))} lists of {self.k}, got shape {cells.shape}; "
                f"remove {self.folder} and run again"
            )
        lists = Neighbours(item_idx=np.array(cells["item_idx"]), score=np.array(cells["score"]))
        return Found(lists=lists, source=np.array(cells["source"]))

    def read_all(self) -> Iterator[tuple[range, Found]]:
        """All parts in order."""
        for part in range(len(self)):
            yield self.rows(part), self.read(part)

    def _path(self, part: int) -> Path:
        return self.folder / f"part-{part:06d}.npy"
