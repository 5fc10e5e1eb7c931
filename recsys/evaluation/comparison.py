"""Does the model beat the baselines? One row a baseline, and one sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recsys.evaluation.intervals import Interval, mean_intervals
from recsys.evaluation.score import Scored


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The model minus one baseline on one metric, paired over users.

    Attributes:
        baseline: Its name.
        metric: Such as `ndcg@10`.
        baseline_value: The baseline's mean.
        difference: Model minus baseline, with its 95 % interval.
    """

    baseline: str
    metric: str
    baseline_value: float
    difference: Interval

    @property
    def is_beaten(self) -> bool:
        """Whether the model is better and the interval excludes zero."""
        return self.difference.low > 0


def compare_to_baselines(
    model: Scored, baselines: Mapping[str, Scored], *, metric: str, n_resamples: int, seed: int
) -> list[Comparison]:
    """Paired differences to every baseline, the strongest baseline first."""
    differences = {name: model.per_user[metric] - other.per_user[metric] for name, other in baselines.items()}
    if not differences:
        return []
    intervals = mean_intervals(differences, n_resamples=n_resamples, seed=seed)
    rows = [
        Comparison(
            baseline=name,
            metric=metric,
            baseline_value=float(other.per_user[metric].mean()),
            difference=intervals[name],
        )
        for name, other in baselines.items()
    ]
    return sorted(rows, key=lambda row: (-row.baseline_value, row.baseline))


def is_proved(comparisons: list[Comparison], *, left_out: Sequence[str] = ()) -> bool:
    """Whether the model beats every baseline that was asked for, and there was one."""
    return bool(comparisons) and not left_out and all(row.is_beaten for row in comparisons)


def state_verdict(model: str, comparisons: list[Comparison], *, left_out: Sequence[str] = ()) -> str:
    """The first line of summary and report.

    Args:
        model: The model's name.
        comparisons: From `compare_to_baselines`.
        left_out: Baselines that were asked for and could not be computed.
    """
    if not comparisons:
        return f"{model} was compared with no baseline, so nothing is proved."
    metric, unbeaten = comparisons[0].metric.upper(), [row for row in comparisons if not row.is_beaten]
    if unbeaten:
        parts = ", ".join(f"{row.baseline} ({_difference(row)})" for row in unbeaten)
        return f"{model} does NOT beat on {metric}: {parts}."
    best = comparisons[0]
    if left_out:
        ran = f"the best that ran is {best.baseline}, beaten by {_difference(best)}"
        return f"{model} is NOT proved on {metric}: {', '.join(left_out)} could not be computed; {ran}."
    return f"{model} beats every baseline on {metric}; the best of them is {best.baseline}, by {_difference(best)}."


def _difference(row: Comparison) -> str:
    interval = row.difference
    return f"{interval.value:+.4f}, 95 % interval {interval.low:+.4f} to {interval.high:+.4f}"
