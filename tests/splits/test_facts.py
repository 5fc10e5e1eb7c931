from dataclasses import replace

import pytest

from recsys.splits.facts import SplitFacts

FACTS = SplitFacts(
    protocol="leave_last_out",
    has_validation=True,
    by_moment=False,
    validation_start=None,
    cut=None,
    n_train=1,
    n_validation=1,
    n_test=1,
    n_users_all_train=0,
    n_test_events_of_new_users=0,
    n_cold_items=0,
    n_cold_test_events=0,
    n_withheld_events=0,
    n_test_pairs=100,
    n_repeated_test_pairs=0,
    repeat_share=0.0,
)


@pytest.mark.parametrize(
    ("n_repeated", "repeats", "scopes"),
    [
        (0, "auto", ["new"]),
        (5, "auto", ["new"]),
        (6, "auto", ["new", "all"]),
        (50, "new", ["new"]),
        (50, "all", ["all"]),
        (0, "both", ["new", "all"]),
        (100, "auto", ["all"]),
        (100, "new", ["all"]),
    ],
)
def test_what_is_judged_follows_the_share_of_repeats_where_it_is_not_said(
    n_repeated: int, repeats: str, scopes: list[str]
) -> None:
    assert replace(FACTS, n_repeated_test_pairs=n_repeated).judged(repeats) == scopes


@pytest.mark.parametrize(
    ("repeat_share", "seen", "published"),
    [(0.2, "auto", "new"), (0.21, "auto", "all"), (0.9, "drop", "new"), (0.0, "keep", "all")],
)
def test_lists_hold_what_was_taken_before_where_most_comes_back_or_where_it_is_said(
    repeat_share: float, seen: str, published: str
) -> None:
    assert replace(FACTS, repeat_share=repeat_share).published(seen) == published


def test_lists_are_made_for_what_is_published_first_and_for_what_else_is_judged() -> None:
    shop = replace(FACTS, repeat_share=0.4, n_repeated_test_pairs=40)
    assert shop.scopes("auto", "auto") == ["all", "new"]
    assert shop.scopes("auto", "drop") == ["new", "all"]
    assert shop.scopes("all", "auto") == ["all"]
    assert shop.scopes("new", "drop") == ["new"]
