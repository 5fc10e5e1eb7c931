"""When to stop, and which epoch to keep."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyStopping:
    """The best epoch so far; without values, the last.

    Attributes:
        patience: Epochs without a better value after which training stops.
        best_value: The largest value seen, None if there is none.
        best_epoch: Its epoch, from 1; 0 before the first.
        epoch: The last epoch seen.
    """

    patience: int
    best_value: float | None = None
    best_epoch: int = 0
    epoch: int = 0

    def see(self, value: float | None) -> "EarlyStopping":
        """Take note of the next epoch's value; a larger one is better, an equal one is not, and None always is."""
        epoch = self.epoch + 1
        if value is None or self.best_value is None or value > self.best_value:
            return EarlyStopping(patience=self.patience, best_value=value, best_epoch=epoch, epoch=epoch)
        return EarlyStopping(patience=self.patience, best_value=self.best_value, best_epoch=self.best_epoch, epoch=epoch)

    @property
    def is_best(self) -> bool:
        """Whether the last epoch is the best."""
        return self.epoch == self.best_epoch

    @property
    def should_stop(self) -> bool:
        """Whether patience has run out."""
        return self.epoch - self.best_epoch >= self.patience
