import numpy as np
import pytest
import torch

from recsys.training.embedding import embed_items, embed_users
from recsys.training.explanation import score_without

_CPU = {"device": torch.device("cpu"), "dtype": torch.float32}


@pytest.mark.parametrize("encoder", ["transformer", "mean"])
def test_each_score_is_that_of_a_history_without_the_event(world, build_towers, encoder):
    model = build_towers(n_items=len(world.items), encoder=encoder, use_time=False)
    histories, user = world.histories, 7
    score, places, without = score_without(model, histories, user_idx=user, item_idx=3)
    items = embed_items(model, **_CPU)
    whole = embed_users(model, histories, np.array([user]), held_out="test", batch_tokens=512, **_CPU)
    assert score == pytest.approx(float(whole[0] @ items[3]), abs=1e-5)
    begin, end = histories.offsets[user], histories.offsets[user + 1]
    assert places.tolist() == list(range(max(0, end - begin - model.spec.history_length), end - begin))
    model.eval()
    for place, found in zip(places[:4], without, strict=False):
        kept = np.delete(np.asarray(histories.item_idx[begin:end]), place)[-model.spec.history_length :]
        with torch.inference_mode():
            history = model.item_tower(torch.from_numpy(kept).long())[None]
            nothing = torch.full((1, len(kept)), -1)
            is_last = torch.arange(len(kept))[None] == len(kept) - 1
            vector = model.encode_prefixes(
                history, gap=nothing, request_gap=nothing, user_idx=torch.tensor([user]), is_wanted=is_last
            )
        assert found == pytest.approx(float(vector[0].numpy() @ items[3]), abs=1e-5)


def test_without_the_only_event_nothing_is_left(world, build_towers):
    model = build_towers(n_items=len(world.items), encoder="mean", use_time=False)
    histories = world.histories
    offsets = np.array([0, 1])
    one = type(histories)(
        item_idx=histories.item_idx[:1],
        timestamp=histories.timestamp[:1],
        offsets=offsets,
        train_end=offsets[1:],
        validation_time=histories.validation_time[:1],
        request_time=histories.request_time[:1],
    )
    score, places, without = score_without(model, one, user_idx=0, item_idx=int(histories.item_idx[0]))
    assert (places.tolist(), without.tolist()) == ([0], [0.0])
    assert score > 0
