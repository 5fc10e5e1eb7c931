import json
from pathlib import Path

import numpy as np
import polars as pl


def _recommended(recsys, run: Path, user: str) -> list[str]:
    _, out, _ = recsys("recommend", user, "-k", "5", "--run", str(run), "--json")
    return [item["item_id"] for item in json.loads(out)["items"]]


def test_items_are_added_and_deleted_at_once_here_and_with_the_next_retrieve_in_the_candidates(
    recsys, copy_of: Path, run_stage, tmp_path: Path
) -> None:
    users, vectors = pl.read_parquet(copy_of / "pairs" / "users.parquet")["user_id"], np.load(copy_of / "embed" / "users.npy")
    user = users[3]
    before = _recommended(recsys, copy_of, user)
    table = pl.DataFrame({"item_id": ["brand-new"], "vector": [vectors[3].tolist()]})
    table.write_parquet(tmp_path / "new.parquet")
    assert recsys("add-items", str(tmp_path / "new.parquet"), "--run", str(copy_of))[0] == 0
    assert recsys("delete-items", before[0], "--run", str(copy_of))[0] == 0
    expected = ["brand-new", *before[1:5]]
    assert _recommended(recsys, copy_of, user) == expected
    code, _, err = recsys("add-items", str(tmp_path / "new.parquet"), "--run", str(copy_of))
    assert (code, "an id must be new, got 'brand-new'" in err) == (2, True)
    for stage in ("retrieve", "index", "retrieve"):
        run_stage(stage, copy_of)
        if stage == "retrieve":
            listed = pl.read_parquet(copy_of / "published" / "current" / "candidates.parquet")
            assert listed.filter(pl.col("user_id") == user)["item_id"].head(5).to_list() == expected
            assert before[0] not in listed["item_id"]
            similar = pl.read_parquet(copy_of / "retrieve" / "similar.parquet")
            assert "brand-new" in similar["item_id"]
    assert json.loads((copy_of / "index" / "index.json").read_text())["n_added"] == 1
    assert _recommended(recsys, copy_of, user) == expected


def test_an_unknown_item_cannot_be_deleted(recsys, copy_of: Path) -> None:
    code, _, err = recsys("delete-items", "nothing", "--run", str(copy_of))
    assert code == 2
    assert "an item must be known, got 'nothing'" in err
