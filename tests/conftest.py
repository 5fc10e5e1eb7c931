"""Builders that several rooms share: judged lists, a small synthetic world, towers and training settings."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import pytest
import torch

from recsys.core.columns import ITEM_ID, TIMESTAMP, USER_ID
from recsys.data.synthetic import build_synthetic
from recsys.data.vocabulary import Vocabulary, fit_vocabulary
from recsys.features.history import build_histories
from recsys.features.popularity import count_items, log_q
from recsys.index.filters import SeenItems
from recsys.models.item_tower import Features
from recsys.models.two_tower import TwoTower, build_spec
from recsys.sampling.batches import Histories
from recsys.splits.leave_last_out import split_leave_last_out
from recsys.splits.parts import Split
from recsys.training.loop import Trainer
from recsys.training.settings import training_settings as training_settings_of
from tests import oracles

pytest_plugins = ("tests.finished_run",)

_SHAPE = {"dim": 16, "history_length": 20, "n_blocks": 1, "dropout": 0.0, "request_drop": 0.0}
_QUICK = {
    "n_epochs": 2,
    "batch_tokens": 512,
    "final_rate": 0.1,
    "warmup_steps": 5,
    "full_softmax_limit": 10_000,
    "n_uniform": 64,
    "n_in_batch": 64,
    "validation_users": 1000,
}
_FOUND = ("has_view_head", "search_dim")


@dataclass(frozen=True, kw_only=True)
class JudgedLists:
    """Random lists, some short, against several relevant items a user."""

    ranked: list[list[int]]
    relevant: list[set[int]]
    hits: np.ndarray
    n_relevant: np.ndarray
    gains: list[dict[int, int]]
    by_ranx: dict[str, list[float]]
    graded_by_ranx: dict[str, list[float]]


@dataclass(frozen=True, kw_only=True)
class World:
    """A synthetic log, split and laid out as the towers read it."""

    split: Split
    users: Vocabulary
    items: Vocabulary
    histories: Histories
    counts: np.ndarray
    log_popularity: np.ndarray


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Tiny tensors gain nothing from threads, and sums keep their order."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def judged_lists():
    rng = np.random.default_rng(7)
    ranked = [rng.permutation(40)[: rng.integers(3, 13)].tolist() for _ in range(60)]
    relevant = [set(rng.choice(40, rng.integers(1, 16), replace=False).tolist()) for _ in range(60)]
    hits = np.zeros((60, 12), bool)
    for user, items in enumerate(ranked):
        hits[user, : len(items)] = [item in relevant[user] for item in items]
    ones = [dict.fromkeys(items, 1) for items in relevant]
    gains = [{item: int(rng.integers(1, 6)) for item in items} for items in relevant]
    names = ("hit_rate", "recall", "precision", "ndcg", "mrr", "map")
    metrics = ["r-precision", *(f"{name}@{k}" for name in names for k in (1, 5, 10))]
    found = oracles.ranx_values([*ranked, *ranked], [*ones, *gains], metrics=metrics)
    return JudgedLists(
        ranked=ranked,
        relevant=relevant,
        hits=hits,
        n_relevant=np.array([len(items) for items in relevant]),
        gains=gains,
        by_ranx={name: values[:60] for name, values in found.items()},
        graded_by_ranx={name: values[60:] for name, values in found.items()},
    )


@pytest.fixture(scope="session")
def build_world():
    """Build a world of any size, split by leave-last-out."""

    def build(*, n_users, n_items, n_topics=6, seed=3):
        log = build_synthetic(n_users=n_users, n_items=n_items, n_topics=n_topics, seed=seed).interactions.collect()
        split = split_leave_last_out(log.sort(USER_ID, TIMESTAMP, maintain_order=True))
        users, items = fit_vocabulary(split.train[USER_ID]), fit_vocabulary(split.train[ITEM_ID])
        unknown = pl.lit(-1, pl.Int64)
        asked = pl.DataFrame({USER_ID: users.ids}).with_columns(validation_time=unknown, request_time=unknown)
        flat, _ = build_histories(split.train, split.validation, users=users, items=items, request_times=asked)
        counts = count_items(split.train, items=items)
        return World(
            split=split,
            users=users,
            items=items,
            histories=Histories(**{name: getattr(flat, name) for name in flat.__dataclass_fields__}),
            counts=counts,
            log_popularity=log_q(counts),
        )

    return build


@pytest.fixture(scope="session")
def world(build_world):
    """60 users and some 50 items."""
    return build_world(n_users=60, n_items=50)


@pytest.fixture(scope="session")
def no_features():
    """Attributes of n rows of which nothing is known."""

    def build(n_rows):
        nothing = torch.zeros((n_rows, 0))
        return Features(categories=nothing.long(), numbers=nothing, text=nothing, n_categories=0)

    return build


@pytest.fixture(scope="session")
def some_features():
    """Three categories of each of n rows, all different."""

    def build(n_rows):
        rows = torch.arange(n_rows)
        categories = torch.stack([rows % 3 + 1, rows % 5 + 4, rows % 7 + 9], dim=1)
        nothing = torch.zeros((n_rows, 0))
        return Features(categories=categories, numbers=nothing, text=nothing, n_categories=15)

    return build


@pytest.fixture(scope="session")
def build_towers(no_features):
    """Build seeded towers; keywords change the spec."""

    def build(*, n_items, n_users=1, seed=0, item_features=None, user_features=None, **changes):
        torch.manual_seed(seed)
        found = {name: changes.pop(name) for name in _FOUND if name in changes}
        spec = build_spec(training_settings_of(_SHAPE | changes).values, n_items=n_items, **found)
        return TwoTower(
            spec, item_features=item_features or no_features(n_items), user_features=user_features or no_features(n_users)
        )

    return build


@pytest.fixture(scope="session")
def training_settings():
    """Settings of a quick training; keywords change them. Without labels, views alone are learned."""

    def build(*, has_labels=True, **changes):
        settings = training_settings_of(_QUICK | changes)
        return settings if has_labels else replace(settings, values={**settings.values, "has_labels": False})

    return build


@pytest.fixture
def seen_of():
    """Lay out one list of item idx a row, with a stranger's items before and behind."""

    def build(lists):
        lengths = np.array([len(items) for items in lists], np.int64)
        flat = np.array([0, 1, *(item for items in lists for item in items), 2], np.int32)
        ends = 2 + np.cumsum(lengths)
        return SeenItems(item_idx=flat, starts=ends - lengths, ends=ends)

    return build


@pytest.fixture
def unit_vectors():
    """Random float32 vectors of length 1, shape (n, dim)."""

    def build(n, dim, *, seed=0):
        vectors = np.random.default_rng(seed).normal(size=(n, dim))
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)

    return build


@pytest.fixture(scope="session")
def cpu():
    return {"device": torch.device("cpu"), "dtype": torch.float32}


@pytest.fixture(scope="session")
def build_trainer(world, build_towers, training_settings, cpu):
    """Build a trainer; `settings` and `spec` change the plain ones, `initial` seeds the weights.

    Without validation, the validation events are train. If `asked`, it is known when each user is asked about.
    """

    def build(*, settings=None, spec=None, initial=0, validation=True, asked=False, **changes):
        histories = world.histories if validation else replace(world.histories, train_end=world.histories.offsets[1:])
        if asked:
            histories = replace(histories, validation_time=histories.timestamp[histories.train_end])
        model = build_towers(n_items=len(world.items), n_users=len(world.users), seed=initial, **(spec or {}))
        return Trainer(
            model,
            histories,
            log_popularity=world.log_popularity,
            settings=training_settings(**(settings or {})),
            **cpu,
            **changes,
        )

    return build
