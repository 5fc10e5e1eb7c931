from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsys.baselines.choose import Judged
from recsys.baselines.on_validation import OnValidation
from recsys.candidates.learned_weights import learn_weights, tower_lists
from recsys.core.files import read_array
from recsys.data.vocabulary import read_vocabulary
from recsys.index.nearest import Neighbours


def _lists(rows):
    item_idx = np.array(rows, np.int32)
    score = 9 - np.broadcast_to(np.arange(item_idx.shape[1]), item_idx.shape)
    return Neighbours(item_idx=item_idx, score=score.astype(np.float32))


def _judged(wanted, *, keeps_seen=False):
    """User number n took item `wanted[n]`."""
    n = len(wanted)
    return Judged(user_idx=np.arange(n), row=np.arange(n), item=np.array(wanted), n_items=30, keeps_seen=keeps_seen)


def _on(judged, **lists):
    ids = pl.Series([f"u{number:05d}" for number in range(len(judged.user_idx))])
    return OnValidation(user_ids=ids, judged=judged, lists=lists)


def test_a_source_has_a_say_by_what_its_lists_are_worth():
    wanted = list(range(20))
    right, wrong = _lists([[item, 29] for item in wanted]), _lists([[28, 27]] * 20)
    learned = learn_weights(_on(_judged(wanted), item_knn=right, popularity=wrong), _lists([[26, 25]] * 20))
    assert learned.weights == {"item_knn": 1.0} and learned.adds == {"item_knn": 1.0}
    assert learned.ndcg == {"fusion": 1.0, "two_tower": 0.0, "item_knn": 1.0, "popularity": 0.0}


def test_two_that_know_different_users_both_have_a_say_and_together_are_worth_more_than_either():
    wanted = list(range(20))
    towers = _lists([[item if item < 10 else 29, 28, 27] for item in wanted])
    rule = _lists([[item if item >= 10 else 26, 25, 24] for item in wanted])
    learned = learn_weights(_on(_judged(wanted), co_visitation=rule), towers)
    assert set(learned.weights) == {"two_tower", "co_visitation"}
    assert learned.ndcg["fusion"] > max(learned.ndcg["two_tower"], learned.ndcg["co_visitation"])
    assert learned.adds["two_tower"] == pytest.approx(learned.ndcg["fusion"] - learned.ndcg["co_visitation"])


@pytest.mark.parametrize("keeps_seen", [False, True])
def test_towers_are_asked_as_of_validation(finished: Path, keeps_seen: bool) -> None:
    pairs, users = finished / "pairs", read_vocabulary(finished / "pairs" / "users.parquet", id_column="user_id")
    offsets, train_end, item_idx = (read_array(pairs / f"{name}.npy") for name in ("offsets", "train_end", "item_idx"))
    held_out = np.flatnonzero(np.asarray(train_end) < np.asarray(offsets)[1:])
    on = OnValidation(
        user_ids=users.ids.gather(held_out),
        judged=Judged(
            user_idx=np.arange(len(held_out)),
            row=np.arange(len(held_out)),
            item=np.asarray(item_idx)[np.asarray(train_end)[held_out]].astype(np.int64),
            n_items=len(pl.read_parquet(pairs / "items.parquet")),
            keeps_seen=keeps_seen,
        ),
        lists={},
    )
    found = tower_lists(on, users=users, run=finished, precision="float32")
    for row, user in enumerate(held_out[:20]):
        taken = set(np.asarray(item_idx)[offsets[user] : train_end[user]].tolist())
        assert bool(taken & set(found.item_idx[row].tolist())) == keeps_seen
    best = pl.read_parquet(finished / "train" / "epochs.parquet")["validation_ndcg"].max()
    if not keeps_seen:
        assert on.judged.ndcg(found) == pytest.approx(best, abs=0.02)
