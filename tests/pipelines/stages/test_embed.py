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


def test_whether_times_are_read_is_handed_on(unvalidated: Path, manifest_of: Callable[[str], dict]) -> None:
    assert manifest_of("embed")["facts"]["reads_times"]
    assert not json.loads((unvalidated / "embed" / "manifest.json").read_text())["facts"]["reads_times"]
