"""The training loop: it joins towers, losses and batches, and yields one record an epoch."""

import math
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from recsys.core.errors import TrainingError
from recsys.core.random import rng_for, seed_for
from recsys.inference.precision import autocast
from recsys.models.two_tower import TwoTower
from recsys.objectives.draw import Draw
from recsys.objectives.objective import Objective
from recsys.objectives.workers import Workers
from recsys.sampling.batches import Histories, build_batch, plan_epoch
from recsys.training.averaging import start_average
from recsys.training.early_stopping import EarlyStopping
from recsys.training.optimizers import build_optimizers, clip_gradients
from recsys.training.resume import EpochRecord, forget_others, load_checkpoint, save_checkpoint
from recsys.training.schedule import learning_rate
from recsys.training.settings import TrainingSettings
from recsys.training.validation import choose_validation_users, validate


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Where training is, for a progress display.

    Attributes:
        epoch: From 1.
        step: Steps done in this epoch.
        n_steps: Steps of this epoch.
        loss: Mean loss of this epoch so far.
        n_targets: Targets of this epoch so far.
    """

    epoch: int
    step: int
    n_steps: int
    loss: float
    n_targets: int


class Trainer:
    """Trains one model on one set of histories.

    Args:
        model: Both towers, on `device`; its weights are changed.
        histories: All users; validation events serve early stopping only.
        log_popularity: Shape (I,), log of each item's share of train events.
        settings: How to train.
        device: Where.
        dtype: Number format of the products.
        checkpoint: Folder for one checkpoint an epoch, from which training resumes; None keeps none.
        fingerprint: What the run depends on; a checkpoint with another one is ignored.
        workers: The processes that share the work.
        texts: Shape (I, C, T), where items are aligned with them.
    """

    def __init__(
        self,
        model: TwoTower,
        histories: Histories,
        *,
        log_popularity: NDArray[np.float32],
        settings: TrainingSettings,
        device: torch.device,
        dtype: torch.dtype,
        checkpoint: Path | None = None,
        fingerprint: str = "",
        workers: Workers | None = None,
        texts: NDArray[np.float32] | None = None,
    ) -> None:
        self.model, self.histories, self.settings = model, histories, settings
        self.device, self.dtype, self.checkpoint, self.fingerprint = device, dtype, checkpoint, fingerprint
        self.workers = workers or Workers()
        self.objective = Objective(
            settings.values, model=model, histories=histories, log_popularity=log_popularity, device=device, texts=texts
        )
        self.optimizers = build_optimizers(model, settings.loop, row_by_row=not self.objective.is_full)
        self.average = start_average(model, decay=settings.labels.ema_decay, row_by_row=not self.objective.is_full)
        if device.type == "cuda":
            torch._dynamo.reset()
            model.user_tower.compile(dynamic=True)
        at_most = settings.labels.validation_users if settings.has_labels else 0
        self.validation_users = choose_validation_users(histories, at_most=at_most, seed=settings.loop.seed)
        self.records: list[EpochRecord] = []
        self.best: dict[str, torch.Tensor] = {}

    def fit(self, *, on_step: Callable[[Step], None] | None = None) -> Iterator[EpochRecord]:
        """Train until patience or epochs run out; the model then holds the weights of the best epoch.

        Without validation events, or without next items to be judged by, all epochs are trained, and the last is the best.

        Epochs that a checkpoint already holds are yielded again at once, and training goes on behind them exactly as if it
        had never stopped: every random choice depends on the seed and the epoch alone.

        Args:
            on_step: Called after each step.

        Yields:
            One record an epoch.

        Raises:
            TrainingError: The loss is no longer a number, or there is nothing to learn from.
        """
        self._resume()
        stopping = EarlyStopping(patience=self.settings.labels.patience)
        for record in self.records:
            stopping = stopping.see(record.validation_ndcg)
            yield record
        while stopping.epoch < self.settings.loop.n_epochs and not (stopping.epoch and stopping.should_stop):
            epoch = stopping.epoch + 1
            loss, n_steps, n_targets = self._train_epoch(epoch, on_step)
            with self.average.in_place(self.model) if self.average is not None else nullcontext():
                value = self.workers.first(self._validate)
                stopping = stopping.see(value)
                if stopping.is_best:
                    self._keep_best()
            record = EpochRecord(
                epoch=epoch,
                loss=loss,
                validation_ndcg=value,
                scale=float(self.model.scale.detach()),
                n_steps=n_steps,
                n_targets=n_targets,
                is_best=stopping.is_best,
            )
            self.records.append(record)
            self._save()
            yield record
        self.model.load_state_dict(self.best)
        if self.checkpoint is not None and self.workers.is_main:
            forget_others(self.checkpoint, fingerprint=self.fingerprint)

    def _keep_best(self) -> None:
        """Copy the weights over those kept before: a table of millions of rows has no room to be there three times."""
        for name, tensor in self.model.state_dict().items():
            if name in self.best:
                self.best[name].copy_(tensor)
            else:
                self.best[name] = tensor.detach().cpu().clone()

    def _validate(self) -> float | None:
        return validate(
            self.model,
            self.histories,
            self.validation_users,
            batch_tokens=4 * self.settings.loop.batch_tokens,
            device=self.device,
            dtype=self.dtype,
        )

    def _train_epoch(self, epoch: int, on_step: Callable[[Step], None] | None) -> tuple[float, int, int]:
        settings, rng = self.settings.loop, rng_for(self.settings.loop.seed, "epoch", epoch)
        torch.manual_seed(seed_for(settings.seed, "dropout", epoch, self.workers.rank))
        length = settings.window_length or self.model.spec.history_length
        plan = plan_epoch(self.histories, history_length=length, batch_tokens=settings.batch_tokens, rng=rng)
        if not plan:
            raise TrainingError(
                "train: some user must have 2 train events at different times, got none; "
                "give longer histories, or raise [ingest] min_user_interactions"
            )
        self.model.train()
        total, n_targets = 0.0, 0
        for step, windows in enumerate(plan):
            rate = learning_rate(settings, steps_done=(epoch - 1) * len(plan) + step, n_steps=len(plan))
            for group in [group for optimizer in self.optimizers for group in optimizer.param_groups]:
                group["lr"] = rate
            loss, count = self._step(windows, rng, where=f"at epoch {epoch}, step {step + 1}")
            total, n_targets = total + loss * count, n_targets + count
            if on_step is not None:
                mean = total / max(n_targets, 1)
                on_step(Step(epoch=epoch, step=step + 1, n_steps=len(plan), loss=mean, n_targets=n_targets))
        return total / max(n_targets, 1), len(plan), n_targets

    def _step(self, windows: NDArray[np.int64], rng: np.random.Generator, *, where: str) -> tuple[float, int]:
        use_time, far_share, value = self.model.spec.use_time, self.settings.labels.far_share, 0.0
        whole = build_batch(self.histories, windows, use_time=use_time, far_share=far_share, rng=rng)
        draw = self.objective.draw(whole, rng=rng)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        self.objective.start_step(self.model)
        for rows in self._parts(len(windows)):
            batch, drawn = whole.rows(rows).to(self.device), draw.rows(rows, self.device)
            with autocast(self.device, self.dtype):
                loss = self.objective.loss(self.model, batch, drawn, workers=self.workers)
            loss.backward()  # type: ignore[no-untyped-call]
            self.objective.end_step(drawn)
            value += float(loss.detach())
        self._sum_gradients(draw)
        value = self.workers.sum(value)
        norm = clip_gradients(self.model, norm=self.settings.labels.clip_norm)
        if not (math.isfinite(value) and math.isfinite(norm)):
            raise TrainingError(
                f"train: loss and gradient must stay numbers, got a loss of {value} and a gradient of norm {norm} {where}; "
                'lower [train] learning_rate or set precision = "float32"'
            )
        for optimizer in self.optimizers:
            optimizer.step()
        if self.average is not None:
            self.average.follow(self.model)
        return value, draw.n_targets

    def _parts(self, n_rows: int) -> list[slice]:
        """This process's rows of a batch, in the parts that are worked off one after the other; some may be empty."""
        own, n_parts = range(n_rows)[self.workers.share()], self.settings.labels.accumulate
        size = max(1, -(-n_rows // (self.workers.n_workers * n_parts)))
        parts = [own[begin * size : (begin + 1) * size] for begin in range(n_parts)]
        return [slice(part.start, part.stop, part.step) for part in parts]

    def _sum_gradients(self, draw: Draw) -> None:
        table = None if draw.distinct is None else self.model.item_tower.ids.weight
        rows = torch.zeros(0) if draw.distinct is None else draw.distinct.to(self.device)
        self.workers.sum_gradients(self.model, row_by_row=table, rows=rows)

    def _resume(self) -> None:
        if self.checkpoint is None:
            return
        state = load_checkpoint(
            self.checkpoint,
            model=self.model,
            optimizers=self.optimizers,
            average=self.average,
            objective=self.objective,
            fingerprint=self.fingerprint,
        )
        if state is not None:
            self.best, self.records = state
        if self.workers.sum(len(self.records)) != self.workers.n_workers * len(self.records):
            raise TrainingError("train: all processes must see the same checkpoints, got different ones; share the disk")

    def _save(self) -> None:
        if self.checkpoint is not None and self.workers.is_main:
            save_checkpoint(
                self.checkpoint,
                model=self.model,
                optimizers=self.optimizers,
                average=self.average,
                objective=self.objective,
                best=self.best,
                records=self.records,
                fingerprint=self.fingerprint,
            )
