import numpy as np
import pytest
import torch

from recsys.inference.embedding import embed_items, embed_users
from recsys.inference.explanation import score_without

_CPU = {"device": torch.device("cpu"), "dtype": torch.float32}


def _histories(items, times, template):
    offsets = np.array([0, len(items)])
    return type(template)(
        item_idx=np.array(items, np.int32),
        timestamp=np.array(times),
        offsets=offsets,
        train_end=offsets[1:],
        validation_time=np.array([-1]),
        request_time=np.array([10_000]),
    )


def _score(model, histories, item):
    users = embed_users(model, histories, np.array([0]), held_out="test", batch_tokens=512, **_CPU)
    return float(users[0] @ embed_items(model, **_CPU)[item])


@pytest.mark.parametrize("encoder", ["transformer", "hstu", "mean"])
@pytest.mark.parametrize("use_time", [True, False])
def test_each_score_is_that_of_a_history_without_the_item(world, build_towers, encoder, use_time):
    model = build_towers(n_items=len(world.items), encoder=encoder, use_time=use_time, history_length=5)
    items, times = [1, 2, 3, 2, 4, 5, 6, 2], [0, 5, 30, 90, 400, 500, 900, 5000]
    whole = _histories(items, times, world.histories)
    score, seen, without = score_without(model, whole, user_idx=0, item_idx=9)
    assert score == pytest.approx(_score(model, whole, 9), abs=1e-5)
    assert seen.tolist() == [2, 6, 5, 4]
    for gone, found in zip(seen, without, strict=True):
        kept = [position for position, item in enumerate(items) if item != gone]
        other = _histories([items[position] for position in kept], [times[position] for position in kept], world.histories)
        assert found == pytest.approx(_score(model, other, 9), abs=1e-5)


def test_without_the_only_event_nothing_is_left(world, build_towers):
    model = build_towers(n_items=len(world.items), encoder="mean", use_time=False)
    histories = world.histories
    one = _histories(histories.item_idx[:1], histories.timestamp[:1], histories)
    score, seen, without = score_without(model, one, user_idx=0, item_idx=int(histories.item_idx[0]))
    assert (seen.tolist(), without.tolist()) == ([histories.item_idx[0]], [0.0])
    assert score > 0
