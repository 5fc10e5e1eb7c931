import json

import pytest
import torch

from recsys.core.errors import ArtefactError
from recsys.models.item_tower import Features
from recsys.models.two_tower import read_spec


def _prefixes(model, lengths, *, width=None):
    """Vectors of the last events of histories of some lengths, right-padded to a width."""
    width = width or max(lengths)
    items = torch.stack([torch.arange(width) % 9 for _ in lengths])
    steps = torch.arange(width)
    inside = steps[None] < torch.tensor(lengths)[:, None]
    history = model.item_tower(items.where(inside, 0).flatten()).view(len(lengths), width, -1)
    gap = torch.where(inside, 60 * steps[None], -1)
    return model.encode_prefixes(
        history,
        gap=gap,
        request_gap=torch.full_like(gap, -1),
        user_idx=torch.zeros(len(lengths), dtype=torch.int64),
        is_wanted=steps[None] == torch.tensor(lengths)[:, None] - 1,
    )


def test_all_vectors_have_length_one(build_towers):
    model = build_towers(n_items=9).eval()
    torch.testing.assert_close(model.encode_items(torch.arange(9)).norm(dim=-1), torch.ones(9))
    torch.testing.assert_close(_prefixes(model, [1, 4, 9]).norm(dim=-1), torch.ones(3))


def test_a_batch_of_one_equals_a_padded_batch_of_many(build_towers):
    model = build_towers(n_items=9).eval()
    lengths = [1, 3, 8, 5]
    alone = torch.cat([_prefixes(model, [length]) for length in lengths])
    torch.testing.assert_close(_prefixes(model, lengths, width=16), alone, rtol=0, atol=1e-5)


def test_prefixes_come_in_row_major_order(build_towers):
    model = build_towers(n_items=9).eval()
    history = model.item_tower(torch.arange(8)).view(2, 4, -1)
    unknown = torch.full((2, 4), -1)
    rest = {"gap": unknown, "request_gap": unknown, "user_idx": torch.zeros(2, dtype=torch.int64)}
    wanted = torch.tensor([[True, False, True, False], [False, True, False, True]])
    everything = model.encode_prefixes(history, **rest, is_wanted=torch.ones(2, 4, dtype=torch.bool)).view(2, 4, -1)
    chosen = model.encode_prefixes(history, **rest, is_wanted=wanted)
    one_by_one = [everything[0, 0], everything[0, 2], everything[1, 1], everything[1, 3]]
    torch.testing.assert_close(chosen, torch.stack(one_by_one), rtol=0, atol=1e-6)


def test_the_scale_begins_as_asked_and_stops_at_100(build_towers):
    model = build_towers(n_items=2, initial_scale=20.0)
    assert model.scale.item() == pytest.approx(20)
    with torch.no_grad():
        model.log_scale.fill_(50)
    assert model.scale.item() == pytest.approx(100)


def test_the_scale_is_learned(build_towers):
    model = build_towers(n_items=2)
    model.scale.backward()
    assert model.log_scale.grad.item() == pytest.approx(20, rel=1e-5)


def test_bfloat16_autocast_is_close_to_float32_and_gives_float32(build_towers):
    model = build_towers(n_items=9).eval()
    plain = _prefixes(model, [3, 9])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = _prefixes(model, [3, 9])
    assert cast.dtype == torch.float32
    assert (cast * plain).sum(-1).min() > 0.999


def test_the_spec_survives_json(build_towers):
    spec = build_towers(n_items=9).spec
    assert read_spec(json.loads(json.dumps(spec.as_dict()))) == spec


@pytest.mark.parametrize("value", [{}, {"n_items": 3}, {"unknown": 1}, [], None, "spec"])
def test_a_spec_with_other_keys_is_refused(value):
    with pytest.raises(ArtefactError, match="must describe a two-tower model"):
        read_spec(value)


def test_weights_do_not_hold_the_attributes(build_towers):
    features = Features(categories=torch.tensor([[1], [2]]), numbers=torch.ones(2, 1), text=torch.ones(2, 3), n_categories=2)
    model = build_towers(n_items=2, item_features=features, user_features=features, n_users=2)
    assert not [name for name in model.state_dict() if name.endswith(("categories", "dense"))]


def test_views_are_compared_through_a_head_only_where_there_is_one(build_towers, unit_vectors):
    vectors = torch.from_numpy(unit_vectors(5, 16))
    plain, headed = build_towers(n_items=3), build_towers(n_items=3, has_view_head=True)
    assert plain.project(vectors) is vectors
    assert not torch.allclose(headed.project(vectors), vectors)
    extra = set(headed.state_dict()) - set(plain.state_dict())
    assert extra == {"view_head.hidden.weight", "view_head.hidden.bias", "view_head.out.weight"}
