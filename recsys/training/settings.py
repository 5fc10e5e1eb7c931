"""How to train, apart from the shape of the model."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ContrastTerms:
    """Which contrastive terms stand beside, or in the place of, the next item.

    Attributes:
        next_item_weight: Weight of the next-item loss; 0 trains without labels.
        view_weight: Weight of the contrast between two augmented views of each history; 0 is none.
        view_scale: One over its temperature.
        item_view_weight: Weight of the contrast between two feature masks of each item; 0 is none.
        text_weight: Weight of the alignment of items with their texts, which moves the items too; 0 leaves them where they are.
        queue_size: Keys of earlier steps that are further negatives, for views and for the sampled softmax; 0 is none.
        momentum: Of the towers that encode keys; without a queue there are none.
    """

    next_item_weight: float = 1.0
    view_weight: float = 0.0
    view_scale: float = 10.0
    item_view_weight: float = 0.0
    text_weight: float = 0.0
    queue_size: int = 0
    momentum: float = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    """One run of training.

    Attributes:
        n_epochs: At most this many; exactly, if there are no validation events.
        batch_tokens: Padded events of a step, over all processes.
        accumulate: The batch is cut into so many parts, whose gradients are added before one update: less memory.
        learning_rate: The highest, after warm-up.
        final_rate: Share of it that is left at the end of the cosine.
        warmup_steps: Steps of linear warm-up.
        weight_decay: Of AdamW, for the matrices of layers.
        clip_norm: Largest gradient norm.
        full_softmax_limit: Catalogues up to this size use the full softmax, larger ones a sample.
        n_uniform: Uniform negatives of a step, for the sampled softmax.
        n_in_batch: Negatives drawn from the batch's positives.
        n_popular: Negatives drawn by popularity.
        n_hard: Each target is held against so many of them, its hardest; 0 is all.
        corrected_positive: Whether log-Q corrects the positive too (the form of 2019).
        same_target_weight: Weight of the contrast between prefixes that lead to the same item; 0 is none.
        ema_decay: Of the moving average of the weights that is validated and kept; 0 keeps the weights themselves. An id
            table that is updated row by row stays as it is.
        window_length: Events of a window that is trained on, or that views are made of; None is all that the model reads.
        far_share: Chance that a target is any of the later events, and not the next one.
        popularity_exponent: Lists go by the chance of an item times its popularity to this power; below 0 rare items gain.
        patience: Epochs without a better validation NDCG@10 before training stops.
        validation_users: At most so many users are validated on.
        seed: Of everything random.
        contrast: Further contrastive terms.
    """

    n_epochs: int
    batch_tokens: int
    accumulate: int
    learning_rate: float
    final_rate: float
    warmup_steps: int
    weight_decay: float
    clip_norm: float
    full_softmax_limit: int
    n_uniform: int
    n_in_batch: int
    n_popular: int
    n_hard: int
    corrected_positive: bool
    same_target_weight: float
    ema_decay: float
    far_share: float
    popularity_exponent: float
    patience: int
    validation_users: int
    seed: int
    window_length: int | None = None
    contrast: ContrastTerms = ContrastTerms()
