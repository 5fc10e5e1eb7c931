from pathlib import Path

import polars as pl
import pytest

from recsys.core.errors import DataError
from recsys.serving.explanation import explain_item


def test_the_score_is_that_of_the_candidates_and_reasons_are_the_users_items(finished: Path) -> None:
    row = pl.read_parquet(finished / "retrieve" / "candidates.parquet").row(0, named=True)
    score, reasons = explain_item(finished, row["user_id"], row["item_id"])
    assert score == pytest.approx(row["score"], abs=0.01)
    parts = [pl.read_parquet(finished / "split" / f"{part}.parquet") for part in ("train", "validation")]
    seen = pl.concat([part.filter(pl.col("user_id") == row["user_id"]).select("item_id") for part in parts])["item_id"]
    assert sorted(reasons["item_id"]) == sorted(set(seen))
    assert reasons["fall"].is_sorted(descending=True)
    assert reasons.select((score - pl.col("without") - pl.col("fall")).abs().max()).item() < 1e-12


@pytest.mark.parametrize(("user", "item", "kind"), [("nobody", "i00001", "user"), ("u00001", "nothing", "item")])
def test_strangers_are_refused(finished: Path, user: str, item: str, kind: str) -> None:
    with pytest.raises(DataError, match=f"the {kind} must be in the training set"):
        explain_item(finished, user, item)
