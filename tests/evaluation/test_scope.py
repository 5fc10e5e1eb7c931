import polars as pl
import pytest

from recsys.core.errors import SchemaError
from recsys.evaluation.judgements import build_judgements
from recsys.evaluation.scope import score_scope
from recsys.evaluation.score import score_table

USERS = [f"u{number:03d}" for number in range(120)]
ITEMS = [f"i{number:02d}" for number in range(12)]


def _table(path, ranked):
    rows = [(user, item, rank, 1.0 / rank) for user, items in ranked.items() for rank, item in enumerate(items, start=1)]
    schema = {"user_id": pl.String, "item_id": pl.String, "rank": pl.Int32, "score": pl.Float32}
    pl.DataFrame(rows, schema=schema, orient="row").write_parquet(path)
    return path


@pytest.fixture
def scored(tmp_path):
    """Fusion always finds the item, the towers and a rule every second time, an artefact forwards and not backwards."""
    wanted = {user: ITEMS[number % 10] for number, user in enumerate(USERS)}
    events = pl.DataFrame({"user_id": USERS, "item_id": list(wanted.values())})
    train = pl.DataFrame({"user_id": USERS, "item_id": ["i11"] * len(USERS)})
    right = {user: [item, "i10"] for user, item in wanted.items()}
    half = {user: [item if number % 2 else "i10", "i11"] for number, (user, item) in enumerate(wanted.items())}
    never = {user: ["i10", "i11"] for user in USERS}
    made = {"fusion": right, "two-tower": half, "blend": right, "popularity": never, "next-id": half}
    tables = {name: _table(tmp_path / f"{name}.parquet", ranked) for name, ranked in made.items()}
    catalogue = pl.DataFrame({"item_id": ITEMS, "count": [1] * 12})

    def run(model):
        return score_scope(
            tables,
            build_judgements(train, train.clear(), events),
            catalogue,
            backwards={"next-id": _table(tmp_path / "back", never)},
            scope="new",
            model=model,
            k=1,
            ks=[1, 2],
            n_resamples=50,
            seed=0,
        )

    return run


def test_the_published_lists_are_held_against_single_rules_and_not_against_their_own_parts(scored):
    found = scored("fusion")
    assert [row.baseline for row in found.rivals] == ["popularity"]
    assert {row.baseline for row in found.comparisons} == {"blend", "two-tower", "popularity"}
    assert list(found.models)[:2] == ["blend", "fusion"] and list(found.models)[-1] == "popularity"


def test_towers_alone_have_to_beat_the_blend_too(scored):
    found = scored("two-tower")
    assert {row.baseline for row in found.rivals} == {"blend", "fusion", "popularity"}
    assert [row.baseline for row in found.rivals if row.is_better] == ["blend", "fusion"]


def test_an_order_that_finds_items_forwards_alone_is_an_artefact(scored):
    assert [each.name for each in scored("fusion").artefacts] == ["next-id"]


def test_what_goes_on_file_says_who_is_beaten(scored):
    table = scored("fusion").as_table()
    assert table["scope"] == "new"
    assert {row["baseline"]: row["is_beaten"] for row in table["baselines"]} == {
        "blend": False,
        "two-tower": True,
        "popularity": True,
    }


def test_a_table_of_another_kind_is_refused(tmp_path, scored):
    pl.DataFrame({"user": ["u"]}).write_parquet(tmp_path / "other.parquet")
    with pytest.raises(SchemaError, match="other"):
        score_table(tmp_path / "other.parquet", scored("fusion").judgements, pl.DataFrame(), ks=[1], name="other")
