"""The knobs of the towers and of their training, with labels and without."""

from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from pipelines.config import Chance, Count, Positive, Seed, Settings, Share

_UNREAD_BY = {"mean": ("n_blocks", "n_heads", "feedforward_factor"), "hstu": ("feedforward_factor",)}

Operator = Literal["crop", "mask", "reorder", "substitute", "insert"]
Weight = Annotated[float, Field(ge=0)]


class ModelSettings(Settings):
    """The shape of the model, and the machine that works on it; `[train]` sets them, and `pretrain` goes by them too."""

    encoder: Literal["transformer", "hstu", "mean"] = "transformer"
    dim: Annotated[int, Field(ge=4, le=4096)] = 64
    n_blocks: Annotated[int, Field(ge=1, le=64)] = 2
    n_heads: Annotated[int, Field(ge=1, le=64)] = 2
    feedforward_factor: Annotated[int, Field(ge=1, le=16)] = 2
    dropout: Chance = 0.2
    input_dropout: Chance = 0.0
    history_length: Annotated[int, Field(ge=1, le=8192)] = 200
    use_time: bool = True
    request_drop: Annotated[float, Field(ge=0, le=1)] = 0.1
    initial_scale: Annotated[float, Field(gt=0, le=100)] = 20.0
    learn_scale: bool = True
    id_dropout: Chance = 0.0
    low_pass_share: Chance = 0.0
    n_frequencies: Count = 3
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    threads: Annotated[int, Field(ge=1)] | None = None
    deterministic: bool = False


class ContrastSettings(Settings):
    """Contrast between augmented views of histories and between feature masks of items; `train` and `pretrain` share it."""

    view_weight: Weight = 0.0
    view_scale: Annotated[float, Field(gt=0, le=100)] = 10.0
    item_view_weight: Weight = 0.0
    text_weight: Weight = 0.0
    queue_size: Annotated[int, Field(ge=0, le=2**20)] = 0
    momentum: Chance = 0.99
    window_length: Annotated[int, Field(ge=2)] | None = None
    operators: list[Operator] = Field(default=["crop", "mask", "reorder", "substitute", "insert"], min_length=1)
    crop_share: Share = 0.6
    mask_share: Share = 0.3
    reorder_share: Share = 0.6
    substitute_share: Share = 0.3
    insert_share: Share = 0.3

    @model_validator(mode="after")
    def _operators_differ(self) -> "ContrastSettings":
        if len(set(self.operators)) < len(self.operators):
            raise ValueError(f"operators must differ, got {', '.join(self.operators)}")
        return self

    def idle(self, *, is_full: bool) -> list[str]:
        """Settings that were changed and do nothing beside the others.

        Args:
            is_full: Whether all items are scored, so that there are no negatives to choose.
        """
        return [name for name in self._unread(is_full=is_full) if getattr(self, name) != type(self).model_fields[name].default]

    def _unread(self, *, is_full: bool) -> list[str]:
        drawn = self.operators if self.view_weight else []
        unread = [f"{name}_share" for name in get_args(Operator) if name not in drawn]
        if not self.view_weight:
            unread += ["operators", *(["queue_size"] if is_full else [])]
        if not (self.view_weight or self.item_view_weight):
            unread.append("view_scale")
        if not self.queue_size or "queue_size" in unread:
            unread.append("momentum")
        return unread


class PretrainSettings(ContrastSettings):
    """`[pretrain]`: training without labels before `[train]`; 0 epochs leave it out.

    By default a view is three of ten events in a row: read off MovieLens-1M, genres of items had a macro AUROC of 0.96, and of
    0.70 with all five operators on whole histories.
    """

    n_epochs: Annotated[int, Field(ge=0)] = 0
    batch_tokens: Count = 16_384
    learning_rate: Positive = 3e-3
    final_rate: Annotated[float, Field(ge=0, le=1)] = 0.02
    warmup_steps: Annotated[int, Field(ge=0)] = 200
    weight_decay: Weight = 0.0
    view_weight: Weight = 1.0
    view_scale: Annotated[float, Field(gt=0, le=100)] = 20.0
    window_length: Annotated[int, Field(ge=2)] | None = 10
    operators: list[Operator] = Field(default=["crop"], min_length=1)
    crop_share: Share = 0.3
    seed: Seed = 0

    @model_validator(mode="after")
    def _something_is_learned(self) -> "PretrainSettings":
        if not (self.view_weight or self.item_view_weight or self.text_weight):
            raise ValueError("one of view_weight, item_view_weight and text_weight must be above 0, got 0 for all")
        return self


class TrainSettings(ModelSettings, ContrastSettings):
    """`[train]`: the shape of the model and how it is trained."""

    n_epochs: Count = 10
    batch_tokens: Count = 4096
    accumulate: Count = 1
    learning_rate: Positive = 3e-3
    final_rate: Annotated[float, Field(ge=0, le=1)] = 0.02
    warmup_steps: Annotated[int, Field(ge=0)] = 200
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    clip_norm: Positive = 1.0
    full_softmax_limit: Annotated[int, Field(ge=0)] = 50_000
    n_uniform: Count = 512
    n_in_batch: Annotated[int, Field(ge=0)] = 512
    n_popular: Annotated[int, Field(ge=0)] = 0
    n_hard: Annotated[int, Field(ge=0)] = 0
    corrected_positive: bool = False
    same_target_weight: Annotated[float, Field(ge=0)] = 0.0
    ema_decay: Chance = 0.0
    far_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    popularity_exponent: Annotated[float, Field(ge=-1, le=4)] = 0.0
    patience: Count = 3
    validation_users: Count = 10_000
    seed: Seed = 0

    @model_validator(mode="after")
    def _settings_fit(self) -> "TrainSettings":
        if self.dim % (2 * self.n_heads):
            raise ValueError(f"dim must be a multiple of twice n_heads ({2 * self.n_heads}), got {self.dim}")
        if self.window_length is not None and self.window_length > self.history_length:
            raise ValueError(f"window_length must be at most history_length ({self.history_length}), got {self.window_length}")
        if self.low_pass_share and self.encoder != "transformer":
            raise ValueError(f'low_pass_share must be 0 for encoder = "{self.encoder}", got {self.low_pass_share}')
        whole = [
            name
            for name in ("same_target_weight", "view_weight", "item_view_weight", "text_weight", "queue_size")
            if getattr(self, name)
        ]
        if whole and self.accumulate > 1:
            raise ValueError(f"accumulate must be 1 where {whole[0]} is set, got {self.accumulate}")
        return self

    def _unread(self, *, is_full: bool) -> list[str]:
        unread = list(_UNREAD_BY.get(self.encoder, ()))
        if is_full:
            unread += ["n_uniform", "n_in_batch", "n_popular", "n_hard", "corrected_positive"]
        return unread + super()._unread(is_full=is_full)


class StudySettings(Settings):
    """`[study]`: how much pre-training is worth, when only some users have training targets."""

    shares: list[Annotated[float, Field(gt=0, le=1)]] = Field(default=[0.01, 0.05, 0.2, 1.0], min_length=1)
    seeds: list[Seed] = Field(default=[0], min_length=1)
    longest: Annotated[int, Field(ge=1)] = 10
    patience: Count = 8
