import numpy as np
import polars as pl
import pytest

from recsys.splits.cold_items import withhold_items
from recsys.splits.leakage import check_no_leakage
from recsys.splits.leave_last_out import split_leave_last_out


@pytest.fixture
def log():
    """40 users with 6 events on 30 items."""
    rng = np.random.default_rng(0)
    rows = [
        (f"u{user:02d}", f"i{item:02d}", position)
        for user in range(40)
        for position, item in enumerate(rng.permutation(30)[:6])
    ]
    table = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    return table.with_columns(pl.from_epoch("timestamp", time_unit="s").dt.replace_time_zone("UTC"))


def test_withheld_items_are_in_no_train_or_validation_event_and_the_test_stays(log):
    plain = split_leave_last_out(log)
    split, cold = withhold_items(plain, share=0.2, rng=np.random.default_rng(1))
    assert len(cold) == 6 and cold.is_sorted()
    for part in (split.train, split.validation):
        assert not part["item_id"].is_in(cold.implode()).any()
    assert split.test.equals(plain.test)
    lost = plain.train.height - split.train.height + plain.validation.height - split.validation.height
    assert split.facts().n_withheld_events == split.n_dropped == lost > 0
    assert split.facts().n_cold_test_events == plain.test["item_id"].is_in(cold.implode()).sum()
    check_no_leakage(split, n_interactions=log.height, n_dropped=split.n_dropped)


def test_the_seed_chooses_the_items(log):
    plain = split_leave_last_out(log)
    chosen = [withhold_items(plain, share=0.2, rng=np.random.default_rng(seed))[1].to_list() for seed in (1, 1, 2)]
    assert chosen[0] == chosen[1] != chosen[2]
