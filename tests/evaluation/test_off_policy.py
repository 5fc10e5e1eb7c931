import numpy as np
import polars as pl
import pytest

from recsys.core.errors import DataError
from recsys.evaluation.off_policy import estimate, evaluate_lists

N_USERS, N_ITEMS = 40, 6
RNG = np.random.default_rng(0)
TASTE = RNG.random((N_USERS, N_ITEMS)) * 0.6
SHOWN = RNG.dirichlet(np.ones(N_ITEMS), N_USERS) * 0.7 + 0.3 / N_ITEMS


def _log(n_events, *, seed):
    """Events of a policy that shows some items far more often than others."""
    rng = np.random.default_rng(seed)
    user = rng.integers(0, N_USERS, n_events)
    item = np.array([rng.choice(N_ITEMS, p=SHOWN[one]) for one in user])
    return pl.DataFrame(
        {
            "user_id": [f"u{one}" for one in user],
            "item_id": [f"i{one}" for one in item],
            "reward": (rng.random(n_events) < TASTE[user, item]).astype(float),
            "propensity": SHOWN[user, item],
        }
    )


def _lists(items):
    rows = [(f"u{user}", f"i{item}", rank) for user in range(N_USERS) for rank, item in enumerate(items[user], start=1)]
    return pl.DataFrame(rows, schema=["user_id", "item_id", "rank"], orient="row")


BEST = np.argsort(-TASTE, axis=1)


def test_all_three_find_what_lists_that_were_never_shown_would_have_earned():
    true = TASTE[np.arange(N_USERS)[:, None], BEST[:, :2]].mean()
    found = evaluate_lists(_log(20_000, seed=2), _lists(BEST), k=2, n_resamples=200)
    for each in (found.ips, found.snips, found.doubly_robust):
        assert each.low < true < each.high
        assert each.value == pytest.approx(true, abs=0.03)
    assert found.logged.high < true, "the log itself earned less"


def test_the_intervals_hold_the_truth_as_often_as_they_say():
    true = TASTE[np.arange(N_USERS)[:, None], BEST[:, :3]].mean()
    lists, inside = _lists(BEST), np.zeros(3)
    for seed in range(60):
        found = evaluate_lists(_log(600, seed=seed), lists, k=3, n_resamples=200)
        inside += [each.low < true < each.high for each in (found.ips, found.snips, found.doubly_robust)]
    assert (inside >= 51).all(), inside


def test_the_doubly_robust_estimate_is_the_steadiest():
    lists = _lists(BEST)
    runs = [evaluate_lists(_log(1_500, seed=seed), lists, k=2, n_resamples=20) for seed in range(25)]
    spread = {name: np.std([getattr(run, name).value for run in runs]) for name in ("ips", "snips", "doubly_robust")}
    assert spread["doubly_robust"] < spread["ips"]


def test_the_policy_of_the_log_itself_is_worth_what_it_earned():
    log = _log(500, seed=3)
    reward, propensity = log["reward"].to_numpy(), log["propensity"].to_numpy()
    nothing = np.zeros(500)
    owner = np.arange(500) // 5
    found = estimate(
        reward, propensity, propensity, expected=nothing, expected_of_policy=nothing, owner=owner, n_resamples=50, seed=0
    )
    assert found.ips == found.snips == found.logged == found.doubly_robust
    assert found.effective_size == pytest.approx(500) and found.n_matched == 500


def test_where_no_event_shows_what_is_listed_nothing_can_be_said():
    with pytest.raises(DataError, match="some event must show one of the first 1 items of its user's list, got none"):
        evaluate_lists(_log(50, seed=4), _lists(np.full((N_USERS, 1), 9)), k=1)


def test_a_log_that_takes_turns_is_read_as_any_other():
    turns = pl.DataFrame(
        {"user_id": [f"u{n % 40}" for n in range(400)], "item_id": ["i0", "i1"] * 200, "reward": [1.0, 0.0] * 200}
    ).with_columns(propensity=pl.lit(0.5))
    lists = _lists(np.zeros((N_USERS, 1), int))
    turned = turns.with_columns(user_id=pl.Series([f"u{n // 2 % 40}" for n in range(400)]))
    assert evaluate_lists(turned, lists, k=1, n_resamples=50).doubly_robust.value == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("wrong", [0.0, 1.5, None])
def test_propensities_that_are_none_are_refused(wrong):
    log = _log(5, seed=5).with_columns(propensity=pl.lit(wrong, pl.Float64))
    with pytest.raises(DataError, match="propensity above 0 and at most 1, got 5 others"):
        evaluate_lists(log, _lists(BEST), k=2)
    with pytest.raises(DataError, match="each event must have a reward"):
        evaluate_lists(_log(5, seed=5).with_columns(reward=pl.lit(float("nan"))), _lists(BEST), k=2)
    with pytest.raises(DataError, match="some user of the log must have a list"):
        evaluate_lists(_log(5, seed=5).with_columns(user_id=pl.lit("x")), _lists(BEST), k=2)
