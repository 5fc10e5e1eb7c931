import pytest
import torch

from recsys.core.errors import ConfigError
from recsys.models.item_tower import FeatureEncoder, Features, ItemTower


@pytest.fixture
def features():
    """4 items: two categories, one category, the same one in another column, none."""
    return Features(
        categories=torch.tensor([[1, 2], [2, 0], [0, 2], [0, 0]]),
        numbers=torch.tensor([[1.0], [0.0], [0.0], [0.0]]),
        text=torch.tensor([[0.1, 0.2], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]),
        n_categories=2,
    )


def test_items_with_equal_attributes_are_encoded_alike(features):
    torch.manual_seed(0)
    encoded = FeatureEncoder(features, 8)(torch.arange(4))
    torch.testing.assert_close(encoded[1], encoded[2])
    assert not torch.allclose(encoded[0], encoded[1])


def test_category_0_adds_nothing_even_after_training(features):
    torch.manual_seed(0)
    encoder = FeatureEncoder(features, 8)
    optimizer = torch.optim.SGD(encoder.parameters(), lr=0.5)
    encoder(torch.arange(4)).square().sum().backward()
    optimizer.step()
    assert encoder.category_table.weight[0].abs().sum() == 0
    assert encoder.category_table.weight[2].abs().sum() > 0


def test_a_row_is_the_sum_of_its_parts_and_a_residual_layer(features):
    torch.manual_seed(0)
    encoder = FeatureEncoder(features, 8)
    table, dense = encoder.category_table.weight, torch.tensor([1.0, 0.1, 0.2])
    summed = table[1] + table[2] + encoder.from_dense.weight @ dense + encoder.from_dense.bias
    wanted = summed + encoder.out(torch.nn.functional.gelu(encoder.hidden(summed)))
    torch.testing.assert_close(encoder(torch.tensor([0]))[0], wanted)


@pytest.mark.parametrize("most_compared", [40, 39])
def test_of_many_rows_each_distinct_one_is_encoded_once_with_the_gradient_of_all(most_compared):
    generator = torch.Generator().manual_seed(0)
    rows = torch.randint(0, 3, (40, 2), generator=generator)
    features = Features(
        categories=rows, numbers=(rows[:, :1] > 1).float(), text=torch.zeros((40, 0)), n_categories=2
    )  # 9 kinds of rows at most
    torch.manual_seed(0)
    encoder = FeatureEncoder(features, 8, most_compared=most_compared)
    asked = []
    encoder.hidden.register_forward_hook(lambda _, given, __: asked.append(len(given[0])))
    weight = torch.randn(40, 8, generator=generator)

    def encode(size):
        encoder.zero_grad()
        encoded = torch.cat([encoder(part) for part in torch.arange(40).split(size)])
        (encoded * weight).sum().backward()
        return encoded, [parameter.grad.clone() for parameter in encoder.parameters()]

    whole, gradients = encode(40)
    assert asked == [len(rows.unique(dim=0)) if most_compared == 40 else 40]
    by_row, wanted = encode(1)
    torch.testing.assert_close(whole, by_row)
    torch.testing.assert_close(gradients, wanted)


def test_the_order_of_requests_is_the_order_of_answers(features):
    torch.manual_seed(0)
    tower = ItemTower(4, 8, features, id_dropout=0.0)
    whole = tower(torch.arange(4))
    torch.testing.assert_close(tower(torch.tensor([3, 0, 3])), whole[[3, 0, 3]])


def test_without_attributes_the_tower_is_its_id_table(no_features):
    tower = ItemTower(5, 8, no_features(5), id_dropout=0.0)
    assert torch.equal(tower(torch.arange(5)), tower.ids.weight)
    assert [name for name, _ in tower.named_parameters()] == ["ids.weight"]


def test_attributes_are_not_saved_with_the_weights(features):
    tower = ItemTower(4, 8, features, id_dropout=0.0)
    assert not [name for name in tower.state_dict() if name.endswith(("categories", "dense"))]


def test_numbers_alone_are_enough():
    only_numbers = Features(
        categories=torch.zeros((2, 0), dtype=torch.int64),
        numbers=torch.tensor([[1.0], [2.0]]),
        text=torch.zeros((2, 0)),
        n_categories=0,
    )
    torch.manual_seed(0)
    first, second = FeatureEncoder(only_numbers, 4)(torch.arange(2))
    assert not torch.allclose(first, second)


def test_a_dropped_id_leaves_the_features_and_is_dropped_in_training_alone(features):
    torch.manual_seed(0)
    tower = ItemTower(4, 8, features, id_dropout=0.5)
    by_features, whole = tower.features(torch.arange(4)), tower.eval()(torch.arange(4))
    torch.testing.assert_close(whole, tower.ids.weight + by_features)
    drawn = torch.stack([tower.train()(torch.arange(4)) for _ in range(400)])  # (400, 4, 8)
    is_dropped = torch.isclose(drawn, by_features).all(-1)
    assert (is_dropped | torch.isclose(drawn, whole).all(-1)).all()
    assert is_dropped[:, :3].float().mean(0) == pytest.approx(torch.full((3,), 0.5), abs=0.1)
    assert not is_dropped[:, 3].any(), "an item without features would be nothing at all"


def test_ids_of_items_without_features_cannot_be_dropped(no_features):
    with pytest.raises(ConfigError, match=r"id_dropout must be 0 where items have no features, got 0\.2"):
        ItemTower(5, 8, no_features(5), id_dropout=0.2)


def test_a_mask_hides_fields_and_the_id(features):
    torch.manual_seed(0)
    tower = ItemTower(4, 8, features, id_dropout=0.0)
    everything, nothing = torch.ones(4, 5, dtype=torch.bool), torch.zeros(4, 5, dtype=torch.bool)
    rows, yes, no = torch.arange(4), torch.ones(4, dtype=torch.bool), torch.zeros(4, dtype=torch.bool)
    torch.testing.assert_close(tower.encode_masked(rows, is_kept=everything, keeps_id=yes), tower(rows))
    by_features = tower.encode_masked(rows, is_kept=everything, keeps_id=no)
    torch.testing.assert_close(by_features[:3], tower.features(rows)[:3])
    by_id = tower.encode_masked(rows, is_kept=nothing, keeps_id=no)
    torch.testing.assert_close(by_id, tower.encode_masked(rows, is_kept=nothing, keeps_id=yes))
    assert torch.equal(by_features[3], by_id[3]), "an item without features goes by its id"
    first = everything.clone()
    first[:, 1:] = False
    second = tower.encode_masked(rows, is_kept=first, keeps_id=no)
    torch.testing.assert_close(second[1], by_features[1])
    assert not torch.allclose(second[0], by_features[0])


def test_items_without_features_cannot_be_masked(no_features):
    tower = ItemTower(2, 8, no_features(2), id_dropout=0.0)
    with pytest.raises(ConfigError, match="must have features"):
        tower.encode_masked(torch.arange(2), is_kept=torch.zeros(2, 0, dtype=torch.bool), keeps_id=torch.ones(2).bool())
