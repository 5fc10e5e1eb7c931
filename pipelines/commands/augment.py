"""What augmentation makes of one user's history, as training would see it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

from pipelines.settings.train import read_pretrain, read_train
from recsys.augmentation.compose import AugmentationSettings, build_augmenter
from recsys.augmentation.sequences import MASKED, Sequences, read_sequences
from recsys.core.columns import ITEM_ID, TIMESTAMP, USER_ID
from recsys.core.errors import DataError
from recsys.core.facts import read_facts
from recsys.core.files import read_json
from recsys.core.knobs import take
from recsys.core.random import seed_for
from recsys.data.vocabulary import Vocabulary, read_vocabulary
from recsys.features.facts import PairsFacts
from recsys.sampling.batches import read_histories, request_batches


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A history after one operator, or as it is.

    Attributes:
        name: The operator, or `history`.
        events: `item_id`, null where the item is hidden, and `timestamp` as text in UTC where times are known, oldest first.
    """

    name: str
    events: pl.DataFrame


def augment_history(run: Path, user_id: str, *, seed: int) -> list[View]:
    """A user's train history, and two views of it by the operators of the profile.

    Args:
        run: The run folder, with the stage `pairs` done.
        user_id: The user.
        seed: The same seed gives the same views.

    Returns:
        The history and both views.

    Raises:
        DataError: Train does not know the user.
    """
    pairs = run / "pairs"
    users = read_vocabulary(pairs / "users.parquet", id_column=USER_ID)
    items = read_vocabulary(pairs / "items.parquet", id_column=ITEM_ID)
    user_idx = users.idx_of(user_id)
    if user_idx is None:
        raise DataError(f"augment: the user must be in the training set, got '{user_id}'; check the id")
    training, pretraining = read_train(_settings(run, "train")), read_pretrain(_settings(run, "pretrain"))
    chosen = pretraining if pretraining.loop.n_epochs else training
    histories, shape = read_histories(pairs), training.model
    operators = take(AugmentationSettings, chosen.values)
    augmenter = build_augmenter(operators, histories, n_items=len(items), most=shape.history_length)
    has_time = shape.use_time and read_facts(pairs, PairsFacts).has_time
    ((_, batch),) = request_batches(
        histories,
        np.array([user_idx]),
        history_length=chosen.loop.window_length or shape.history_length,
        batch_tokens=1,
        use_time=has_time,
        held_out="validation",
    )
    if not int(batch.length):
        raise DataError(f"augment: the user must have train events, got none for '{user_id}'; name another user")
    origin = int(histories.timestamp[histories.train_end[user_idx] - int(batch.length)])
    history = read_sequences(batch)
    generator = torch.Generator().manual_seed(seed_for(seed, "augment", user_id))
    views = [View(name="history", events=_events(history, items, origin))]
    for _ in range(2):
        operator = augmenter.choose(1, generator=generator)
        view = augmenter.apply(history, operator, generator=generator)
        views.append(View(name=augmenter.names[int(operator)], events=_events(view, items, origin)))
    return views


def _settings(run: Path, stage: str) -> dict[str, Any]:
    settings: dict[str, Any] = read_json(run / "config" / f"{stage}.json")["settings"]
    return settings


def _events(sequences: Sequences, items: Vocabulary, origin: int) -> pl.DataFrame:
    length = int(sequences.length)
    shown = pl.Series(sequences.item_idx[0, :length].numpy())
    ids = items.ids.gather(shown.replace(MASKED, None))
    if sequences.time is None:
        return pl.DataFrame({ITEM_ID: ids})
    times = pl.Series(sequences.time[0, :length].numpy()) + origin
    return pl.DataFrame({ITEM_ID: ids, TIMESTAMP: pl.from_epoch(times, time_unit="s").dt.strftime("%Y-%m-%dT%H:%M:%SZ")})


def lay_side_by_side(names: list[str], events: list[pl.DataFrame]) -> pl.DataFrame:
    """One column a view, one row an event.

    Args:
        names: Of the views.
        events: Of each, `item_id` and whatever text is to be shown instead.

    Returns:
        `#`, and a column of text for each view; a hidden item is `(hidden)`, and behind a view's end there is nothing.
    """
    longest = max(table.height for table in events)
    columns = [pl.Series("#", range(1, longest + 1), dtype=pl.Int64)]
    for number, (name, table) in enumerate(zip(names, events, strict=True)):
        known = [pl.col(column) for column in table.columns if column not in (ITEM_ID, TIMESTAMP)][:1]
        texts = [pl.when(text != "").then(text) for text in known]
        shown = table.select(pl.coalesce(*texts, pl.col(ITEM_ID), pl.lit("(hidden)"))).to_series()
        heading = name if number == 0 else f"view {number}: {name}"
        columns.append(shown.extend_constant(None, longest - table.height).alias(heading))
    return pl.DataFrame(columns)
