"""All settings of the towers and of their training: gathered from the rooms that read them, checked together."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from recsys.augmentation.compose import AugmentationSettings
from recsys.core.errors import ConfigError
from recsys.core.knobs import Knob, check_values, knob, knobs_of, take
from recsys.models.encoders.choice import ENCODERS
from recsys.models.encoders.protocol import EncoderShape
from recsys.models.two_tower import ModelSettings
from recsys.objectives.key_queue import QueueSettings
from recsys.objectives.objective import TERMS


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSettings:
    """Where and how exactly to compute."""

    device: Literal["auto", "cpu", "cuda"] = knob("auto", "Where to train; auto takes CUDA where it is there.")
    precision: Literal["auto", "float32", "bfloat16"] = knob(
        "auto", "Number format of the products; auto takes bfloat16 where the processor multiplies in it."
    )
    threads: int | None = knob(None, "Threads of a process; all cores if left out.", at_least=1)
    deterministic: bool = knob(False, "Whether only operations whose result never varies are taken.")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopSettings:
    """One run of training, with labels or without."""

    n_epochs: int = knob(10, "Epochs at most; exactly as many where there are no validation events.", at_least=1)
    batch_tokens: int = knob(4096, "Padded events of a step, over all processes.", at_least=1)
    learning_rate: float = knob(3e-3, "The highest learning rate, after warm-up.", above=0)
    final_rate: float = knob(0.02, "Share of the learning rate that is left at the end of the cosine.", at_least=0, at_most=1)
    warmup_steps: int = knob(200, "Steps of linear warm-up.", at_least=0)
    weight_decay: float = knob(0.0, "Of AdamW, for the matrices of layers.", at_least=0)
    window_length: int | None = knob(
        None,
        "Events of a window that is trained on, or that views are made of; all that the model reads if left out.",
        at_least=2,
    )
    seed: int = knob(0, "Of everything random.", at_least=0, below=2**31)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSettings:
    """What only training on next items has."""

    accumulate: int = knob(
        1, "Parts that a batch is cut into, whose gradients are added before one update: less memory.", at_least=1
    )
    clip_norm: float = knob(1.0, "Largest norm of the gradient.", above=0)
    ema_decay: float = knob(
        0.0,
        "Decay of a moving average of the weights that is validated and kept; 0 keeps the weights themselves. An id table "
        "that is updated row by row stays as it is.",
        at_least=0,
        below=1,
    )
    far_share: float = knob(
        0.0,
        "Chance that a target is any event that follows, and not the next one; 1 suits lists that hold for weeks.",
        at_least=0,
        at_most=1,
    )
    patience: int = knob(3, "Epochs without a better validation NDCG@10 before training stops.", at_least=1)
    validation_users: int = knob(10_000, "Users that are validated on, at most.", at_least=1)


_OF_TERMS: tuple[type, ...] = (*(kind.settings for kind in TERMS), QueueSettings, AugmentationSettings)
_OF_MODEL: tuple[type, ...] = (ModelSettings, *ENCODERS.values(), MachineSettings)
MODEL_KNOBS: Mapping[str, Knob] = knobs_of(*_OF_MODEL)
TRAIN_KNOBS: Mapping[str, Knob] = knobs_of(*_OF_MODEL, LoopSettings, LabelSettings, *_OF_TERMS)

# By default a view is three of ten events in a row: read off MovieLens-1M, genres of items had a macro AUROC of 0.96, and of
# 0.70 with all five operators on whole histories.
_PRETRAIN_DEFAULTS: Mapping[str, Any] = {
    "n_epochs": 0,
    "batch_tokens": 16_384,
    "view_weight": 1.0,
    "view_scale": 20.0,
    "window_length": 10,
    "operators": ("crop",),
    "crop_share": 0.3,
}
_VIEW_WEIGHTS = ("view_weight", "item_view_weight", "text_weight", "barlow_weight")
_WHOLE_BATCH = ("same_target_weight", *_VIEW_WEIGHTS, "queue_size")


def _pretrain_knobs() -> dict[str, Knob]:
    """Those of the loop and of the terms without labels, some with other defaults; 0 epochs are allowed."""
    of_labels = {"same_target", "next_item"}
    kinds = [kind.settings for kind in TERMS if kind.name not in of_labels]
    found = knobs_of(LoopSettings, *kinds, QueueSettings, AugmentationSettings)
    changed = {
        name: Knob(name=name, kind=found[name].kind, default=default, text=found[name].text, limits=found[name].limits)
        for name, default in _PRETRAIN_DEFAULTS.items()
    }
    first = knob(0, "Epochs of training without labels before [train]; 0 leaves it out.", at_least=0)
    epochs = Knob(name="n_epochs", kind=int, default=0, **first.metadata)
    return found | changed | {"n_epochs": epochs}


PRETRAIN_KNOBS: Mapping[str, Knob] = _pretrain_knobs()


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """Every setting of one training, by name.

    Attributes:
        values: All of them, checked; `has_labels` among them.
        knobs: What they are.
    """

    values: Mapping[str, Any]
    knobs: Mapping[str, Knob]

    @cached_property
    def model(self) -> ModelSettings:
        """The shape of the towers."""
        return take(ModelSettings, self.values)

    @cached_property
    def machine(self) -> MachineSettings:
        """Where to compute."""
        return take(MachineSettings, self.values)

    @cached_property
    def loop(self) -> LoopSettings:
        """One run of training."""
        return take(LoopSettings, self.values)

    @cached_property
    def labels(self) -> LabelSettings:
        """What only training on next items has."""
        return take(LabelSettings, self.values)

    @property
    def has_labels(self) -> bool:
        """Whether next items are learned."""
        return bool(self.values["has_labels"])

    @property
    def needs_view_head(self) -> bool:
        """Whether views of histories are compared."""
        return bool(self.values.get("view_weight") or self.values.get("barlow_weight"))

    def as_table(self) -> dict[str, Any]:
        """What a table of a profile would say, every key of it, as JSON takes it."""
        return {name: list(own) if isinstance(own := self.values[name], tuple) else own for name in self.knobs}

    def change(self, **values: object) -> "TrainingSettings":
        """The same with some other values, checked again as a whole.

        Raises:
            ConfigError: A name is unknown or a value breaks its rule.
        """
        return _settings(self.as_table() | values, self.knobs, where="", has_labels=self.has_labels)

    def idle(self, *, is_full: bool) -> list[str]:
        """Settings that were changed and do nothing beside the others.

        Args:
            is_full: Whether all items are scored, so that there are no negatives to choose.
        """
        of_terms = knobs_of(*_OF_TERMS)
        of_encoders = {name for settings in ENCODERS.values() for name in knobs_of(settings)}
        read = set(self.knobs) - set(of_terms) - of_encoders
        full = _with_defaults(self.values)
        read |= set().union(*(kind.reads(full, is_full=is_full) for kind in TERMS))
        read |= set(knobs_of(ENCODERS[full["encoder"]]))
        return [name for name, each in self.knobs.items() if self.values[name] != each.default and name not in read]


def training_settings(given: Mapping[str, object] | None = None, *, where: str = "") -> TrainingSettings:
    """The settings of `[train]`, and of the Python door.

    Args:
        given: Those that differ from the defaults.
        where: What stands before each name in a message, such as `train.`.

    Raises:
        ConfigError: A name is unknown, a value breaks its rule, or two do not go together.
    """
    return _settings(given or {}, TRAIN_KNOBS, where=where, has_labels=True)


def pretraining_settings(given: Mapping[str, object] | None = None, *, where: str = "") -> TrainingSettings:
    """The settings of `[pretrain]` alone, without those of the model; arguments and errors are those of `training_settings`."""
    return _settings(given or {}, PRETRAIN_KNOBS, where=where, has_labels=False)


def join_pretraining(pretraining: TrainingSettings, model: Mapping[str, object]) -> TrainingSettings:
    """Settings that a trainer without labels can go by.

    Args:
        pretraining: From `pretraining_settings`.
        model: Settings of the model and the machine, as `[train]` has them.

    Raises:
        ConfigError: They do not go together.
    """
    own = {name: model[name] for name in MODEL_KNOBS if name in model}
    table = own | pretraining.as_table()
    return _settings(table, dict(MODEL_KNOBS) | dict(PRETRAIN_KNOBS), where="pretrain.", has_labels=False)


def _settings(given: Mapping[str, object], knobs: Mapping[str, Knob], *, where: str, has_labels: bool) -> TrainingSettings:
    chosen = {name: each.default for name, each in knobs.items()} | check_values(given, knobs, where=where)
    settings = TrainingSettings(values=_with_defaults(chosen) | {"has_labels": has_labels}, knobs=knobs)
    _check_together(settings, where=where)
    return settings


def _with_defaults(values: Mapping[str, Any]) -> dict[str, Any]:
    """Also those that a table does not have, as they are by default."""
    return {name: each.default for name, each in TRAIN_KNOBS.items()} | dict(values)


def _check_together(settings: TrainingSettings, *, where: str) -> None:
    values, table = settings.values, where.rstrip(".")
    said = f"{table}: " if table else ""
    if "dim" in settings.knobs:
        shape = EncoderShape(dim=values["dim"], history_length=values["history_length"], use_time=values["use_time"])
        try:
            take(ENCODERS[values["encoder"]], values).check(shape)
        except ConfigError as error:
            raise ConfigError(f"{said}{error}") from None
        window = values["window_length"]
        if window is not None and window > values["history_length"]:
            most = values["history_length"]
            raise ConfigError(f"{said}window_length must be at most history_length ({most}), got {window}; lower it")
    if not settings.has_labels and not any(values[name] for name in _VIEW_WEIGHTS):
        raise ConfigError(f"{said}one of {', '.join(_VIEW_WEIGHTS)} must be above 0, got 0 for all; set one")
    whole = [name for name in _WHOLE_BATCH if values[name]]
    if whole and values["accumulate"] > 1:
        raise ConfigError(f"{said}accumulate must be 1 where {whole[0]} is set, got {values['accumulate']}; set one back")
