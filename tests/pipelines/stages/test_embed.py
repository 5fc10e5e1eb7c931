import json
from collections.abc import Callable
from pathlib import Path

import numpy as np


def test_vectors_have_length_one_and_a_row_an_idx(finished: Path, manifest_of: Callable[[str], dict]) -> None:
    facts = manifest_of("pairs")["facts"]
    items, users = np.load(finished / "embed" / "items.npy"), np.load(finished / "embed" / "users.npy")
    assert items.shape == (facts["n_items"], 16)
    assert users.shape == (facts["n_users"], 16)
    assert items.dtype == users.dtype == np.float32
    assert np.allclose(np.linalg.norm(np.concatenate([items, users]), axis=1), 1, atol=1e-5)


def test_the_request_time_that_is_assumed_is_stated(manifest_of: Callable[[str], dict]) -> None:
    assert manifest_of("embed")["facts"]["request_time"] == "known: the time of the user's held-out event"


def test_a_model_that_reads_no_times_states_so_and_the_choice_of_its_epoch_is_handed_on(unvalidated: Path) -> None:
    facts = json.loads((unvalidated / "embed" / "manifest.json").read_text())["facts"]
    assert facts["request_time"] == "no times at all: the model reads order only"
    assert facts["epoch"] == "no validation part: trained for 3 epochs, the last is kept"
