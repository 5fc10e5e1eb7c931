from pathlib import Path

import pytest
import torch
from pipelines.settings.training_config import ContrastSettings
from pipelines.stages.augmenter import build_augmenter

from recsys.augmentation.sequences import Sequences
from recsys.core.files import read_json
from recsys.sampling.batches import read_histories


def _sequences() -> Sequences:
    items = torch.arange(10).repeat(40, 1)
    return Sequences(item_idx=items, time=None, length=torch.full((40,), 10))


def _build(finished: Path, **settings: object):  # type: ignore[no-untyped-def]
    n_items = read_json(finished / "pairs" / "manifest.json")["facts"]["n_items"]
    return build_augmenter(ContrastSettings(**settings), read_histories(finished / "pairs"), n_items=n_items, most=12)


def test_operators_are_as_strong_as_asked(finished: Path) -> None:
    augmenter = _build(finished, operators=["crop"], crop_share=0.3)
    assert augmenter.view(_sequences(), generator=torch.Generator().manual_seed(0)).length.unique().tolist() == [3]


def test_similar_items_are_those_of_the_train_histories(finished: Path) -> None:
    augmenter = _build(finished, operators=["insert"], insert_share=0.9)
    view = augmenter.view(_sequences(), generator=torch.Generator().manual_seed(0))
    assert view.length.unique().tolist() == [12], "no longer than the longest history"


def test_without_operators_that_need_them_similar_items_are_not_fitted(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.stages.augmenter.fit_similar_items", lambda *_, **__: pytest.fail("fitted"))
    assert _build(finished, operators=["crop", "mask", "reorder"]).names == ("crop", "mask", "reorder")
