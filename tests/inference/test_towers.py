from pathlib import Path

import numpy as np
import torch

from recsys.inference.towers import open_towers


def test_the_towers_of_a_run_give_its_item_vectors(finished: Path) -> None:
    model = open_towers(pairs=finished / "pairs", train=finished / "train").eval()
    items = np.load(finished / "embed" / "items.npy")
    with torch.inference_mode():
        again = model.encode_items(torch.arange(len(items))).numpy()
    np.testing.assert_allclose(again, items, atol=0.02)
    np.testing.assert_allclose((again * items).sum(1), 1, atol=1e-3)
