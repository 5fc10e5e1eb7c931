"""Why a user gets an item, from a finished run."""

from pathlib import Path

import polars as pl

from recsys.core.columns import ITEM_ID, USER_ID
from recsys.core.errors import DataError
from recsys.data.vocabulary import read_vocabulary
from recsys.inference.explanation import score_without
from recsys.inference.towers import open_towers
from recsys.sampling.batches import read_histories


def explain_item(run: Path, user_id: str, item_id: str) -> tuple[float, pl.DataFrame]:
    """The score of an item for a user, and the items of the history by how much it falls without them.

    Args:
        run: The run folder.
        user_id: The user.
        item_id: The item.

    Returns:
        The score, and `item_id, without, fall`, largest fall first.

    Raises:
        DataError: Train does not know the user or the item.
    """
    pairs = run / "pairs"
    users, items = (
        read_vocabulary(pairs / f"{name}s.parquet", id_column=column) for name, column in (("user", USER_ID), ("item", ITEM_ID))
    )
    user_idx, item_idx = users.idx_of(user_id), items.idx_of(item_id)
    for place, kind, identifier in ((user_idx, "user", user_id), (item_idx, "item", item_id)):
        if place is None:
            raise DataError(f"explain: the {kind} must be in the training set, got '{identifier}'; check the id")
    histories = read_histories(pairs)
    model = open_towers(pairs=pairs, train=run / "train")
    score, seen, without = score_without(model, histories, user_idx=int(user_idx or 0), item_idx=int(item_idx or 0))
    table = pl.DataFrame({ITEM_ID: items.ids.gather(seen), "without": without, "fall": score - without})
    return score, table.sort("fall", descending=True, maintain_order=True)
