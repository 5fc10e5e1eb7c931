import pytest
import torch
from torch import nn

from recsys.core.errors import ArtefactError
from recsys.models.checkpoint import load_weights, read_tensors, start_from, write_tensors


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int64])
def test_tensors_come_back_bit_for_bit(tmp_path, dtype):
    tensors = {"a": torch.arange(6).view(2, 3).to(dtype), "nested/name": torch.tensor(7).to(dtype)}
    write_tensors(tmp_path / "file.safetensors", tensors)
    found = read_tensors(tmp_path / "file.safetensors")
    assert found.keys() == tensors.keys()
    assert all(found[name].dtype == dtype and torch.equal(found[name], tensors[name]) for name in tensors)


def test_views_that_share_memory_or_are_not_contiguous_can_be_written(tmp_path):
    table = torch.arange(6.0).view(2, 3)
    write_tensors(tmp_path / "file", {"plain": table, "turned": table.t(), "part": table[:, 1]})
    found = read_tensors(tmp_path / "file")
    assert torch.equal(found["turned"], table.t())
    assert torch.equal(found["part"], table[:, 1])


def test_the_same_tensors_give_the_same_bytes(tmp_path):
    tensors = {"b": torch.ones(3), "a": torch.zeros(2)}
    write_tensors(tmp_path / "first", tensors)
    write_tensors(tmp_path / "second", tensors)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


@pytest.mark.parametrize("content", [b"", b"junk", b"\x80\x04N.", b"\xff" * 64])
def test_a_file_that_is_not_safetensors_is_refused(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ArtefactError, match="must be a safetensors file"):
        read_tensors(tmp_path / "file")


def test_a_file_cut_short_is_refused(tmp_path):
    write_tensors(tmp_path / "file", {"a": torch.ones(100)})
    (tmp_path / "file").write_bytes((tmp_path / "file").read_bytes()[:-1])
    with pytest.raises(ArtefactError, match="must be a safetensors file"):
        read_tensors(tmp_path / "file")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ArtefactError, match="must be a safetensors file"):
        read_tensors(tmp_path / "nothing")


def test_weights_go_into_a_model_of_the_same_shape(tmp_path):
    first, second = nn.Linear(3, 2), nn.Linear(3, 2)
    write_tensors(tmp_path / "file", first.state_dict())
    load_weights(second, read_tensors(tmp_path / "file"))
    assert torch.equal(first.weight, second.weight)


@pytest.mark.parametrize("other", [nn.Linear(4, 2), nn.Linear(3, 2, bias=False), nn.Sequential(nn.Linear(3, 2))])
def test_weights_of_another_shape_are_refused(other):
    with pytest.raises(ArtefactError, match="must fit the model"):
        load_weights(nn.Linear(3, 2), other.state_dict())


@pytest.mark.parametrize(("giver", "taker"), [(True, False), (False, True), (True, True)])
def test_a_start_takes_all_that_both_models_have(build_towers, giver, taker):
    first = build_towers(n_items=5, seed=1, has_view_head=giver)
    second = build_towers(n_items=5, seed=2, has_view_head=taker)
    own = {name: tensor.clone() for name, tensor in second.state_dict().items()}
    start_from(second, first.state_dict(), optional="view_head.")
    for name, tensor in second.state_dict().items():
        assert torch.equal(tensor, first.state_dict().get(name, own[name]))


def test_a_start_of_another_shape_is_refused(build_towers):
    first, second = build_towers(n_items=5), build_towers(n_items=6)
    with pytest.raises(ArtefactError, match="must fit the model"):
        start_from(second, first.state_dict(), optional="view_head.")


def test_weights_can_be_read_by_whom_other_files_can(tmp_path):
    (tmp_path / "other").touch()
    write_tensors(tmp_path / "model.safetensors", {"a": torch.zeros(2)})
    assert (tmp_path / "model.safetensors").stat().st_mode == (tmp_path / "other").stat().st_mode
