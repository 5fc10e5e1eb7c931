"""What one step of the loop touches: parts of a batch, the moving average, single rows of the id table."""

import numpy as np
import pytest
import torch

from recsys.core.errors import ConfigError, TrainingError
from recsys.inference.embedding import embed_items, embed_users


@pytest.mark.parametrize("limit", [10_000, 0], ids=["full", "sampled"])
def test_a_batch_in_parts_trains_as_the_whole_does(build_trainer, limit):
    whole, parts = (
        build_trainer(settings={"n_epochs": 1, "accumulate": n, "full_softmax_limit": limit, "learning_rate": 1e-3})
        for n in (1, 3)
    )
    first, second = (next(trainer.fit()) for trainer in (whole, parts))
    assert second.loss == pytest.approx(first.loss, rel=1e-5)
    for name, tensor in whole.model.state_dict().items():
        torch.testing.assert_close(parts.model.state_dict()[name], tensor, rtol=0, atol=1e-5)


def test_validation_and_the_kept_model_are_of_the_average(build_trainer, monkeypatch):
    seen = []

    def look(model, *_args, **_options):
        seen.append(model.item_tower.ids.weight.detach().clone())
        return 0.1 * len(seen)

    monkeypatch.setattr("recsys.training.loop.validate", look)
    trainer = build_trainer(settings={"ema_decay": 0.999})
    own = [trainer.model.item_tower.ids.weight.detach().clone() for _ in trainer.fit()]
    assert not torch.equal(seen[-1], own[-1])
    assert torch.equal(trainer.model.item_tower.ids.weight, seen[-1])


def test_a_sampled_step_changes_the_ids_of_its_own_items_alone(build_trainer, world):
    trainer = build_trainer(settings={"full_softmax_limit": 0, "n_uniform": 2, "n_in_batch": 2, "batch_tokens": 16})
    before = trainer.model.item_tower.ids.weight.detach().clone()
    touched, draw = [], trainer.objective.draw

    def note(whole, *, rng):
        made = draw(whole, rng=rng)
        touched.append(made.distinct)
        return made

    trainer.objective.draw = note

    def stop(_step):
        raise InterruptedError("behind the first step")

    with pytest.raises(InterruptedError):
        next(trainer.fit(on_step=stop))
    moved = (trainer.model.item_tower.ids.weight != before).any(1).nonzero()[:, 0]
    assert set(moved.tolist()) <= set(touched[0].tolist())
    assert 0 < len(moved) < len(world.items)


def test_a_gradient_that_is_no_number_stops_before_the_weights_are_touched(build_trainer):
    trainer = build_trainer(settings={"n_epochs": 1})
    n_steps = next(build_trainer(settings={"n_epochs": 1}).fit()).n_steps
    table, seen = trainer.model.item_tower.ids.weight, []

    def spoil(gradient):
        seen.append(table.detach().clone())
        return gradient * float("inf") if len(seen) == n_steps else gradient

    table.register_hook(spoil)
    with pytest.raises(TrainingError, match=rf"a gradient of norm (nan|inf) at epoch 1, step {n_steps};"):
        list(trainer.fit())
    assert torch.equal(table, seen[-1])


def test_an_average_leaves_out_a_table_that_is_updated_row_by_row_and_nothing_else(build_trainer):
    for limit, is_averaged in ((10_000, True), (0, False)):
        trainer = build_trainer(settings={"ema_decay": 0.9, "full_softmax_limit": limit})
        names = {name for name, _ in trainer.model.named_parameters()}
        assert set(trainer.average.average) == (names if is_averaged else names - {"item_tower.ids.weight"})


def test_texts_that_are_aligned_move_the_items_and_their_tower(build_trainer, world):
    texts = np.random.default_rng(0).normal(size=(len(world.items), 2, 6)).astype(np.float32)
    terms = {"has_labels": False, "text_weight": 1.0}
    trainer = build_trainer(settings={"n_epochs": 3, **terms}, spec={"search_dim": 6}, texts=texts)
    before = {name: tensor.clone() for name, tensor in trainer.model.state_dict().items()}
    records = list(trainer.fit())
    assert records[-1].loss < records[0].loss
    moved = {name.split(".")[0] for name, tensor in trainer.model.state_dict().items() if not torch.equal(tensor, before[name])}
    assert {"item_tower", "text_tower"} <= moved and "content_tower" not in moved
    with pytest.raises(ConfigError, match="text_weight must be 0 where no texts are read"):
        build_trainer(settings=terms, spec={"search_dim": 6})


@pytest.mark.slow
@pytest.mark.parametrize("limit", [10_000, 0], ids=["full", "sampled"])
def test_lists_hold_the_more_popular_items_the_higher_the_exponent(build_trainer, world, limit):
    popularity = []
    for exponent in (-1.0, 0.0, 1.0):
        settings = {"n_epochs": 8, "learning_rate": 1e-2, "full_softmax_limit": limit, "popularity_exponent": exponent}
        trainer = build_trainer(settings=settings)
        list(trainer.fit())
        given = {"device": trainer.device, "dtype": trainer.dtype}
        everyone = np.arange(len(world.users))
        users = embed_users(trainer.model, world.histories, everyone, held_out="test", batch_tokens=512, **given)
        listed = (users @ embed_items(trainer.model, **given).T).argsort(axis=1)[:, -10:]
        popularity.append(world.counts[listed].mean())
    assert popularity[0] < popularity[1] < popularity[2]


def test_a_short_window_holds_few_events_and_all_of_them_are_targets_still(build_trainer):
    seen, records = [], []
    for length in (None, 4):
        trainer = build_trainer(settings={"n_epochs": 1, "window_length": length})
        draw, lengths = trainer.objective.draw, []
        trainer.objective.draw = lambda whole, *, rng, draw=draw, lengths=lengths: (
            lengths.extend(whole.length.tolist()),
            draw(whole, rng=rng),
        )[1]
        records += list(trainer.fit())
        seen.append(lengths)
    assert max(seen[0]) > 4 == max(seen[1])
    assert records[0].n_targets == records[1].n_targets == sum(seen[1])
