import numpy as np
import pytest
import torch

from recsys.inference.embedding import (
    embed_items,
    embed_users,
    encode_contents,
    encode_items_taken,
    encode_last,
    encode_texts,
    item_norms,
)
from recsys.sampling.batches import Batch


@pytest.fixture
def model(world, build_towers):
    return build_towers(n_items=len(world.items), n_users=len(world.users)).eval()


def test_embed_items_are_unit_vectors_of_all_items_whatever_the_blocks(model, cpu):
    whole = embed_items(model, **cpu)
    np.testing.assert_allclose(embed_items(model, **cpu, block_items=7), whole, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(whole, axis=1), 1, atol=1e-5)
    assert whole.shape == (model.spec.n_items, model.spec.dim)


@pytest.mark.parametrize("held_out", ["validation", "test"])
def test_a_user_vector_is_the_same_alone_and_in_any_batch(world, model, cpu, held_out):
    asked = np.array([17, 3, 40, 3, 59])
    together = embed_users(model, world.histories, asked, held_out=held_out, batch_tokens=4096, **cpu)
    for user, vector in zip(asked, together, strict=True):
        alone = embed_users(model, world.histories, np.array([user]), held_out=held_out, batch_tokens=8, **cpu)
        np.testing.assert_allclose(vector, alone[0], atol=1e-5)


def test_a_user_vector_is_that_of_the_last_events_up_to_the_request(world, model, cpu):
    histories = world.histories
    user = int(np.argmax(np.diff(histories.offsets)))
    last = histories.item_idx[: histories.offsets[user + 1]][-model.spec.history_length :]
    assert histories.offsets[user + 1] - histories.offsets[user] > len(last)
    times = histories.timestamp[histories.offsets[user + 1] - len(last) - 1 : histories.offsets[user + 1]]
    gap = torch.from_numpy(np.diff(times))[None]
    request_gap = torch.cat([gap[:, 1:], torch.tensor([[-1]])], dim=1)
    history = model.item_tower(torch.from_numpy(last.astype(np.int64)))[None]
    with torch.no_grad():
        wanted = model.encode_prefixes(
            history,
            gap=gap,
            request_gap=request_gap,
            user_idx=torch.tensor([user]),
            is_wanted=torch.arange(len(last))[None] == len(last) - 1,
        )
    found = embed_users(model, histories, np.array([user]), held_out="test", batch_tokens=512, **cpu)
    np.testing.assert_allclose(found, wanted.numpy(), atol=1e-5)


def test_norms_are_those_of_the_item_tower(build_towers):
    model = build_towers(n_items=7)
    norms = item_norms(model, device=torch.device("cpu"))
    torch.testing.assert_close(torch.from_numpy(norms), model.item_tower(torch.arange(7)).norm(dim=1).detach())


def test_a_user_of_some_items_has_the_vector_of_their_history_without_times(world, build_towers):
    model = build_towers(n_items=len(world.items), n_users=len(world.users)).eval()
    vector = encode_items_taken(model, [4, 9, 2])
    batch = Batch(
        user_idx=torch.tensor([-1]),
        item_idx=torch.tensor([[4, 9, 2, 0]]),
        gap=torch.full((1, 4), -1),
        request_gap=torch.full((1, 4), -1),
        target_idx=torch.full((1, 4), -1),
        length=torch.tensor([3]),
    )
    np.testing.assert_allclose(vector, encode_last(model, batch).detach().numpy(), atol=1e-5)
    long = [item % 40 for item in range(60)]
    np.testing.assert_allclose(encode_items_taken(model, long), encode_items_taken(model, long[-20:]), atol=1e-6)


def test_texts_are_encoded_without_dropout(build_towers, unit_vectors):
    model, texts = build_towers(n_items=3, search_dim=6), unit_vectors(4, 6)
    model.train()
    for encode in (encode_texts, encode_contents):
        assert np.array_equal(encode(model, texts), encode(model, texts))
    assert not np.allclose(encode_texts(model, texts), encode_contents(model, texts))
