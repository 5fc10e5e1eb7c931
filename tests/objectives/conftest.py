import numpy as np
import pytest
import torch

from recsys.objectives.objective import Objective
from recsys.sampling.batches import build_batch, plan_epoch


@pytest.fixture
def model(world, build_towers):
    return build_towers(n_items=len(world.items), n_users=len(world.users)).eval()


@pytest.fixture
def batch(world):
    """The first batch of an epoch."""
    windows = plan_epoch(world.histories, history_length=20, batch_tokens=64, rng=np.random.default_rng(0))[0]
    return build_batch(world.histories, windows, use_time=True)


@pytest.fixture
def objective(world, model, training_settings):
    """Build an objective; keywords change the settings."""

    def build(**settings):
        given = {"histories": world.histories, "log_popularity": world.log_popularity, "device": torch.device("cpu")}
        return Objective(training_settings(**settings).values, model=model, **given)

    return build
