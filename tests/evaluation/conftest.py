"""Scored models from plain hit matrices."""

import json
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
import vl_convert

from recsys.evaluation import drawing
from recsys.evaluation.score import Scored
from recsys.metrics.rank import ndcg
from recsys.metrics.relevance import hit_rate, recall


@pytest.fixture
def scored_of():
    """A model that lists items 0, 1, … in a user's own order, with metrics at some k."""

    def build(hits, *, n_relevant=None, item_idx=None, ks=(10,)):
        hits = np.asarray(hits, bool)
        n_relevant = np.maximum(hits.sum(1), 1) if n_relevant is None else np.asarray(n_relevant)
        item_idx = np.tile(np.arange(hits.shape[1]), (len(hits), 1)) if item_idx is None else np.asarray(item_idx)
        per_user = {
            f"{name}@{k}": metric(hits, n_relevant, ks=[k])[:, 0]
            for name, metric in (("hr", hit_rate), ("ndcg", ndcg), ("recall", recall))
            for k in ks
        }
        return Scored(per_user=per_user, hits=hits, n_relevant=n_relevant.astype(np.int64), item_idx=item_idx)

    return build


@pytest.fixture
def random_hits():
    """Hits of n users at 10 ranks, each true with some chance."""

    def build(n_users, chance, *, seed=0, width=10):
        return np.random.default_rng(seed).random((n_users, width)) < chance

    return build


@pytest.fixture(scope="module")
def drawn_once():
    """The same picture is on most of these pages."""
    with pytest.MonkeyPatch.context() as patch:
        draw = cache(lambda spec: vl_convert.vegalite_to_svg(json.loads(spec), vl_version="6.1"))
        patch.setattr(drawing, "vl_convert", SimpleNamespace(vegalite_to_svg=lambda spec, vl_version: draw(json.dumps(spec))))
        yield
