from datetime import UTC, datetime

import polars as pl

from recsys.splits.parts import Split


def _split(test: list[str]) -> Split:
    """User u took a and b, and then the items of the test."""

    def part(items: list[str]) -> pl.DataFrame:
        rows = [("u", item, datetime(2020, 1, 1, tzinfo=UTC)) for item in items]
        return pl.DataFrame(
            rows, schema=["user_id", "item_id", "timestamp"], orient="row", schema_overrides={"item_id": pl.String}
        )

    return Split(protocol="leave_last_out", train=part(["a"]), validation=part(["b"]), test=part(test))


def test_repeats_are_counted_as_distinct_pairs_of_train_and_validation() -> None:
    facts = _split(["a", "a", "b", "c"]).facts()
    assert (facts.n_test_pairs, facts.n_repeated_test_pairs) == (3, 2)
