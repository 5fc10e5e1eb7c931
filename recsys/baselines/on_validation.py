"""Lists of the baselines for users of validation, on file: what other sources are weighed against."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from recsys.baselines.choose import Judged
from recsys.core.columns import USER_ID
from recsys.core.files import read_array, read_json, write_array, write_atomically, write_json
from recsys.index.nearest import Neighbours


@dataclass(frozen=True, slots=True, kw_only=True)
class OnValidation:
    """What baselines found for some users before the events of validation, and what these users took then.

    Attributes:
        user_ids: Shape (B,).
        judged: Of these users, with items by their idx in train.
        lists: Of each baseline, shape (B, W).
    """

    user_ids: pl.Series
    judged: Judged
    lists: Mapping[str, Neighbours]

    def write(self, folder: Path) -> None:
        """Put it on file."""
        with write_atomically(folder / "users.parquet") as partial:
            pl.DataFrame({USER_ID: self.user_ids}).write_parquet(partial)
        write_array(folder / "relevant.npy", np.stack([self.judged.row, self.judged.item]).astype(np.int64))
        for name, found in self.lists.items():
            write_array(folder / f"{name}-item_idx.npy", found.item_idx)
            write_array(folder / f"{name}-score.npy", found.score)
        about = {"names": list(self.lists), "n_items": self.judged.n_items, "keeps_seen": self.judged.keeps_seen}
        write_json(folder / "about.json", about)


def read_on_validation(folder: Path) -> OnValidation | None:
    """Read it from file; None where nobody could be judged."""
    if not (folder / "about.json").is_file():
        return None
    about, user_ids = read_json(folder / "about.json"), pl.read_parquet(folder / "users.parquet")[USER_ID]
    row, item = np.array(read_array(folder / "relevant.npy"))
    lists = {
        name: Neighbours(
            item_idx=np.array(read_array(folder / f"{name}-item_idx.npy")),
            score=np.array(read_array(folder / f"{name}-score.npy")),
        )
        for name in about["names"]
    }
    judged = Judged(
        user_idx=np.arange(len(user_ids)), row=row, item=item, n_items=about["n_items"], keeps_seen=about["keeps_seen"]
    )
    return OnValidation(user_ids=user_ids, judged=judged, lists=lists)
