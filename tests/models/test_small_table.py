import torch
from torch.nn.functional import embedding

from recsys.models.small_table import look_up


def test_rows_and_their_gradient_equal_those_of_an_embedding():
    generator = torch.Generator().manual_seed(0)
    table = torch.randn(5, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    row = torch.randint(0, 4, (2, 7, 6), generator=generator)
    weight = torch.randn(2, 7, 6, 3, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(look_up(table, row), embedding(row, table), rtol=0, atol=0)
    ours, theirs = (
        torch.autograd.grad((found * weight).sum(), table)[0] for found in (look_up(table, row), embedding(row, table))
    )
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    assert (ours[4] == 0).all()


def test_the_gradient_passes_gradcheck():
    table = torch.randn(4, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda weights: look_up(weights, torch.tensor([0, 3, 3, 1])).square(), (table,))
