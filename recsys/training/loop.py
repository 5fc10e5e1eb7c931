"""The training loop: it joins towers, losses and batches, and yields one record an epoch."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from recsys.core.errors import TrainingError
from recsys.core.random import rng_for, seed_for
from recsys.models.two_tower import TwoTower
from recsys.sampling.batches import Batch, Histories, build_batch, plan_epoch
from recsys.sampling.negatives import mixture_log_q, sample_negatives
from recsys.training.distributed import Workers
from recsys.training.early_stopping import EarlyStopping
from recsys.training.precision import autocast
from recsys.training.resume import EpochRecord, forget_others, load_checkpoint, save_checkpoint
from recsys.training.settings import TrainingSettings
from recsys.training.step import full_loss, sampled_loss
from recsys.training.validation import choose_validation_users, validate

_BETAS = (0.9, 0.98)


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
    ) -> None:
        self.model, self.histories, self.settings = model, histories, settings
        self.device, self.dtype = device, dtype
        self.checkpoint, self.fingerprint = checkpoint, fingerprint
        self.workers = workers or Workers()
        self.optimizer = torch.optim.AdamW(
            model.parameters(), lr=settings.learning_rate, betas=_BETAS, weight_decay=settings.weight_decay, fused=True
        )
        expected = mixture_log_q(log_popularity, n_uniform=settings.n_uniform, n_in_batch=settings.n_in_batch)
        self.log_expected = torch.from_numpy(expected).to(device)  # (I,)
        self.is_full = model.spec.n_items <= settings.full_softmax_limit
        self.validation_users = choose_validation_users(histories, at_most=settings.validation_users, seed=settings.seed)
        self.records: list[EpochRecord] = []
        self.best: dict[str, torch.Tensor] = {}

    def fit(self, *, on_step: Callable[[Step], None] | None = None) -> Iterator[EpochRecord]:
        """Train until patience or epochs run out; the model then holds the weights of the best epoch.

        Without validation events all epochs are trained, and the last is the best.

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
        stopping = EarlyStopping(patience=self.settings.patience)
        for record in self.records:
            stopping = stopping.see(record.validation_ndcg)
            yield record
        while stopping.epoch < self.settings.n_epochs and not (stopping.epoch and stopping.should_stop):
            epoch = stopping.epoch + 1
            loss, n_steps, n_targets = self._train_epoch(epoch, on_step)
            value = validate(
                self.model,
                self.histories,
                self.validation_users,
                batch_tokens=4 * self.settings.batch_tokens,
                device=self.device,
                dtype=self.dtype,
            )
            stopping = stopping.see(value)
            if stopping.is_best:
                self.best = {name: tensor.detach().cpu().clone() for name, tensor in self.model.state_dict().items()}
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

    def _train_epoch(self, epoch: int, on_step: Callable[[Step], None] | None) -> tuple[float, int, int]:
        settings, rng = self.settings, rng_for(self.settings.seed, "epoch", epoch)
        torch.manual_seed(seed_for(settings.seed, "dropout", epoch, self.workers.rank))
        plan = plan_epoch(
            self.histories, history_length=self.model.spec.history_length, batch_tokens=settings.batch_tokens, rng=rng
        )
        if not plan:
            raise TrainingError(
                "train: some user must have 2 train events, got none; "
                "give longer histories, or raise [ingest] min_user_interactions"
            )
        self.model.train()
        total, n_targets = 0.0, 0
        for step, windows in enumerate(plan):
            self._set_rate(epoch - 1 + step / len(plan), (epoch - 1) * len(plan) + step)
            loss, count = self._step(windows, rng)
            if not math.isfinite(loss):
                raise TrainingError(
                    f"train: the loss must stay a number, got {loss} at epoch {epoch}, step {step + 1}; lower [train] "
                    'learning_rate or set precision = "float32"'
                )
            total, n_targets = total + loss * count, n_targets + count
            if on_step is not None:
                on_step(Step(epoch=epoch, step=step + 1, n_steps=len(plan), loss=total / n_targets, n_targets=n_targets))
        return total / n_targets, len(plan), n_targets

    def _step(self, windows: NDArray[np.int64], rng: np.random.Generator) -> tuple[float, int]:
        whole = build_batch(self.histories, windows, use_time=self.model.spec.use_time)
        positives = whole.target_idx[whole.target_idx >= 0].numpy()
        negatives = self._negatives(positives, rng)
        batch = whole.rows(self.workers.share()).to(self.device)
        n_own = int((batch.target_idx >= 0).sum())
        self.optimizer.zero_grad(set_to_none=True)
        value = 0.0
        if n_own:
            with autocast(self.device, self.dtype):
                loss = full_loss(self.model, batch) if negatives is None else self._sampled(batch, negatives)
            loss = loss * (n_own / len(positives))
            loss.backward()  # type: ignore[no-untyped-call]
            value = float(loss.detach())
        self.workers.sum_gradients(self.model)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip_norm)
        self.optimizer.step()
        return self.workers.sum(value), len(positives)

    def _negatives(self, positives: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64] | None:
        if self.is_full:
            return None
        counts = {"n_uniform": self.settings.n_uniform, "n_in_batch": self.settings.n_in_batch}
        return sample_negatives(positives, n_items=self.model.spec.n_items, rng=rng, **counts)

    def _sampled(self, batch: Batch, negatives: NDArray[np.int64]) -> torch.Tensor:
        negative_idx = torch.from_numpy(negatives).to(self.device)
        return sampled_loss(self.model, batch, negative_idx=negative_idx, log_expected=self.log_expected[negative_idx])

    def _set_rate(self, epochs_done: float, steps_done: int) -> None:
        """Linear warm-up, then half a cosine from the full rate to `final_rate` of it over all epochs."""
        settings = self.settings
        warm = min(1.0, (steps_done + 1) / max(settings.warmup_steps, 1))
        cosine = 0.5 * (1 + math.cos(math.pi * epochs_done / settings.n_epochs))
        rate = settings.learning_rate * warm * (settings.final_rate + (1 - settings.final_rate) * cosine)
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def _resume(self) -> None:
        if self.checkpoint is None:
            return
        if self.workers.is_main:
            forget_others(self.checkpoint, fingerprint=self.fingerprint)
        self.workers.wait()
        state = load_checkpoint(self.checkpoint, model=self.model, optimizer=self.optimizer, fingerprint=self.fingerprint)
        if state is not None:
            self.best, self.records = state

    def _save(self) -> None:
        if self.checkpoint is not None and self.workers.is_main:
            save_checkpoint(
                self.checkpoint,
                model=self.model,
                optimizer=self.optimizer,
                best=self.best,
                records=self.records,
                fingerprint=self.fingerprint,
            )
