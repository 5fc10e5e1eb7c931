"""Some items are withheld wholly: what is known of them is what is written about them."""

from dataclasses import replace

import numpy as np
import polars as pl

from recsys.core.columns import ITEM_ID
from recsys.splits.parts import Split


def withhold_items(split: Split, *, share: float, rng: np.random.Generator) -> tuple[Split, pl.Series]:
    """Take all train and validation events of some items out; the test keeps its events.

    Args:
        split: All parts.
        share: Of the items in any part, in [0, 1).
        rng: Which ones, each as likely.

    Returns:
        The split without them, and the ids withheld, sorted.
    """
    known = pl.concat([part.select(ITEM_ID) for part in (split.train, split.validation, split.test)]).unique().sort(ITEM_ID)
    n_cold = int(known.height * share)
    chosen = np.sort(rng.choice(known.height, n_cold, replace=False))
    cold = known[ITEM_ID].gather(chosen)
    is_kept = ~pl.col(ITEM_ID).is_in(cold.implode())
    train, validation = split.train.filter(is_kept), split.validation.filter(is_kept)
    n_withheld = split.train.height - train.height + split.validation.height - validation.height
    withheld = replace(
        split,
        train=train,
        validation=validation,
        n_cold_items=n_cold,
        n_cold_test_events=split.test.filter(~is_kept).height,
        n_withheld=n_withheld,
    )
    return withheld, cold
