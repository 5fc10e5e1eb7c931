"""What the stages `pretrain` and `train` tell of a training."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainFacts:
    """A training without labels.

    Attributes:
        is_on: Whether there was any; all else is empty if not.
        n_epochs: Epochs done.
        first_loss: Of the first epoch.
        last_loss: Of the last.
        loss: The objective in words.
        aligns_texts: Whether the text tower was part of it.
        device: Where it ran.
        precision: Of the products.
        threads: Of PyTorch.
        n_workers: Processes that shared each batch.
    """

    is_on: bool
    n_epochs: int = 0
    first_loss: float = 0.0
    last_loss: float = 0.0
    loss: str = ""
    aligns_texts: bool = False
    device: str = ""
    precision: Literal["float32", "bfloat16"] = "float32"
    threads: int = 0
    n_workers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainFacts:
    """A training.

    Attributes:
        n_parameters: Of the model.
        n_epochs: Epochs done.
        best_epoch: The one that is kept.
        best_validation_ndcg: NDCG@10 of that epoch on validation; None if nothing could be judged.
        n_validation_users: Users judged.
        n_pairs: Train events.
        loss: The objective in words.
        device: Where it ran.
        precision: Of the products.
        threads: Of PyTorch.
        spin_count: `GOMP_SPINCOUNT`.
        n_workers: Processes that shared each batch.
        starts_from_pretrained: Whether the first weights are those of `pretrain`; else they are random.
        n_text_items: Items with a text that the text tower learned from; 0 if there is none.
        text_scale: The scale of its cosines.
        text_recall: `recall@k` to column to the share of held-out items among the k nearest to their text.
        content_cosine: Mean cosine of held-out items' vectors and what the content tower makes of their texts.
    """

    n_parameters: int
    n_epochs: int
    best_epoch: int
    best_validation_ndcg: float | None
    n_validation_users: int
    n_pairs: int
    loss: str
    device: str
    precision: Literal["float32", "bfloat16"]
    threads: int
    spin_count: str
    n_workers: int
    starts_from_pretrained: bool
    n_text_items: int = 0
    text_scale: float | None = None
    text_recall: dict[str, dict[str, float | None]] = field(default_factory=dict)
    content_cosine: float | None = None
