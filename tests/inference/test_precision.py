import pytest
import torch

from recsys.core.errors import ConfigError
from recsys.inference import precision
from recsys.inference.precision import autocast, choose_device, choose_dtype

_CPU = torch.device("cpu")


def test_cuda_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="CUDA must be available"):
        choose_device("cuda")


@pytest.mark.parametrize(("is_there", "kind"), [(True, "cuda"), (False, "cpu")])
def test_auto_takes_cuda_where_it_is_there(monkeypatch, is_there, kind):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: is_there)
    assert choose_device("auto").type == kind
    assert choose_device("cpu").type == "cpu"


@pytest.mark.parametrize(("has_bfloat16", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_auto_takes_bfloat16_where_the_processor_has_it(monkeypatch, has_bfloat16, dtype):
    monkeypatch.setattr(precision, "_cpu_has_bfloat16", lambda: has_bfloat16)
    assert choose_dtype("auto", _CPU) == dtype
    assert choose_dtype("float32", _CPU) == torch.float32
    assert choose_dtype("bfloat16", _CPU) == torch.bfloat16


def test_the_processor_is_asked_without_an_error():
    assert choose_dtype("auto", _CPU) in (torch.float32, torch.bfloat16)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_products_under_autocast_have_its_type(dtype):
    with autocast(_CPU, dtype):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype
