"""Builders that several rooms share: judged lists, a small synthetic world, towers and training settings."""

from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest
import torch

from recsys.core.columns import ITEM_ID, TIMESTAMP, USER_ID
from recsys.data.synthetic import build_synthetic
from recsys.data.vocabulary import Vocabulary, fit_vocabulary
from recsys.features.history import build_histories
from recsys.models.item_tower import Features
from recsys.models.two_tower import TwoTower, TwoTowerSpec
from recsys.sampling.batches import Histories
from recsys.sampling.popularity import count_items, log_q
from recsys.splits.leave_last_out import split_leave_last_out
from recsys.splits.parts import Split
from recsys.training.settings import TrainingSettings
from tests import oracles

_SPEC = TwoTowerSpec(
    n_items=1,
    dim=16,
    encoder="transformer",
    history_length=20,
    n_blocks=1,
    n_heads=2,
    feedforward_factor=2,
    dropout=0.0,
    use_time=True,
    request_drop=0.0,
    initial_scale=20.0,
)
_SETTINGS = TrainingSettings(
    n_epochs=2,
    batch_tokens=512,
    learning_rate=3e-3,
    final_rate=0.1,
    warmup_steps=5,
    weight_decay=0.0,
    clip_norm=1.0,
    accumulate=1,
    n_popular=0,
    n_hard=0,
    corrected_positive=False,
    same_target_weight=0.0,
    ema_decay=0.0,
    far_share=0.0,
    popularity_exponent=0.0,
    full_softmax_limit=10_000,
    n_uniform=64,
    n_in_batch=64,
    patience=3,
    validation_users=1000,
    seed=0,
)


@dataclass(frozen=True, kw_only=True)
class JudgedLists:
    """Random lists, some short, against several relevant items a user."""

    ranked: list[list[int]]
    relevant: list[set[int]]
    hits: np.ndarray
    n_relevant: np.ndarray
    by_ranx: dict[str, list[float]]


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
    names = ("hit_rate", "recall", "precision", "ndcg", "mrr", "map")
    return JudgedLists(
        ranked=ranked,
        relevant=relevant,
        hits=hits,
        n_relevant=np.array([len(items) for items in relevant]),
        by_ranx=oracles.ranx_values(ranked, relevant, metrics=[f"{name}@{k}" for name in names for k in (1, 5, 10)]),
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
        spec = TwoTowerSpec(**(_SPEC.as_dict() | {"n_items": n_items} | changes))
        return TwoTower(
            spec, item_features=item_features or no_features(n_items), user_features=user_features or no_features(n_users)
        )

    return build


@pytest.fixture(scope="session")
def training_settings():
    """Settings of a quick training; keywords change them."""

    def build(**changes):
        plain = {name: getattr(_SETTINGS, name) for name in TrainingSettings.__dataclass_fields__}
        return TrainingSettings(**(plain | changes))

    return build


@pytest.fixture
def unit_vectors():
    """Random float32 vectors of length 1, shape (n, dim)."""

    def build(n, dim, *, seed=0):
        vectors = np.random.default_rng(seed).normal(size=(n, dim))
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)

    return build
