import torch

from recsys.models.projection import ProjectionHead


def test_projections_have_length_1_and_differ_from_what_went_in(unit_vectors):
    torch.manual_seed(0)
    vectors = torch.from_numpy(unit_vectors(50, 16))
    projected = ProjectionHead(16)(vectors)
    torch.testing.assert_close(projected.norm(dim=1), torch.ones(50))
    assert (projected * vectors).sum(1).abs().mean() < 0.9


def test_the_start_keeps_what_is_near_near(unit_vectors):
    torch.manual_seed(0)
    vectors = torch.from_numpy(unit_vectors(200, 32))
    projected = ProjectionHead(32)(vectors)
    before, after = (values @ values.t() for values in (vectors, projected))
    off = ~torch.eye(200, dtype=torch.bool)
    assert torch.corrcoef(torch.stack([before[off], after[off]]))[0, 1] > 0.3
