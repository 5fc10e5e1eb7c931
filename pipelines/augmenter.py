"""From settings to what makes views of histories; training and `recsys augment` build it alike."""

import torch

from pipelines.training_config import ContrastSettings
from recsys.augmentation.compose import NEED_SIMILAR, Augmenter, Shares
from recsys.augmentation.similar_items import SimilarItems, fit_similar_items
from recsys.sampling.batches import Histories

_N_NEIGHBOURS = 20
_WINDOW = 5


def build_augmenter(settings: ContrastSettings, histories: Histories, *, n_items: int, most: int) -> Augmenter:
    """Build the operators; what is similar is fitted on train where one of them needs it.

    Args:
        settings: Which operators, and how strong.
        histories: All users; only train events are read.
        n_items: I.
        most: L, the longest view.
    """
    similar = None
    if NEED_SIMILAR & set(settings.operators):
        neighbours = fit_similar_items(histories, n_items=n_items, n_neighbours=_N_NEIGHBOURS, window=_WINDOW)
        similar = SimilarItems(torch.from_numpy(neighbours))
    shares = Shares(**{name: getattr(settings, f"{name}_share") for name in Shares.__dataclass_fields__})
    return Augmenter(tuple(settings.operators), shares=shares, similar=similar, most=most)
