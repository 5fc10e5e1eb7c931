"""Does the model beat the baselines? One row a baseline, and one sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recsys.evaluation.intervals import Interval, mean_intervals
from recsys.evaluation.score import Scored
from recsys.evaluation.significance import holm, sign_flip_p_values

_LEVEL = 0.05
_FEWEST_SIGNS = 1_000  # that p-values can be small beside so many baselines
_MORE_FORWARDS = 1 / 3
_AHEAD = 0.05
_CAUSES = {
    "next-id": "Rows of one time may stand sorted by id, or ids were given in the order of the events: set [ingest] ties = "
    '"sets", and export the ids that items had before.',
    "next-row": 'Rows of one time stand sorted: set [ingest] ties = "sets".',
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The model minus one baseline on one metric, paired over users.

    Attributes:
        baseline: Its name.
        metric: Such as `ndcg@10`.
        baseline_value: The baseline's mean.
        difference: Model minus baseline, with its 95 % interval.
        p_value: Of the paired randomisation test, two-sided, by Holm over all baselines of the table.
    """

    baseline: str
    metric: str
    baseline_value: float
    difference: Interval
    p_value: float

    @property
    def is_beaten(self) -> bool:
        """Whether the model is better, the interval excluding zero, and that by no chance among so many comparisons."""
        return self.difference.low > 0 and self.p_value < _LEVEL

    @property
    def is_better(self) -> bool:
        """Whether the baseline is, likewise; if neither is, they are not distinguishable."""
        return self.difference.high < 0 and self.p_value < _LEVEL


def compare_to_baselines(
    model: Scored, baselines: Mapping[str, Scored], *, metric: str, n_resamples: int, seed: int
) -> list[Comparison]:
    """Paired differences to every baseline, the strongest baseline first."""
    differences = {name: model.per_user[metric] - other.per_user[metric] for name, other in baselines.items()}
    if not differences:
        return []
    intervals = mean_intervals(differences, n_resamples=n_resamples, seed=seed)
    p_values = holm(sign_flip_p_values(differences, n_resamples=max(n_resamples, _FEWEST_SIGNS), seed=seed))
    rows = [
        Comparison(
            baseline=name,
            metric=metric,
            baseline_value=float(other.per_user[metric].mean()),
            difference=intervals[name],
            p_value=p_values[name],
        )
        for name, other in baselines.items()
    ]
    return sorted(rows, key=lambda row: (-row.baseline_value, row.baseline))


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """A rule that follows an order of the data alone, and yet finds what is held out.

    Attributes:
        name: Of the rule.
        metric: Such as `ndcg@10`.
        value: Its mean.
        over_popularity: Its mean minus that of popularity, with the 95 % interval.
        over_reverse: Its mean minus that of the same order backwards.
    """

    name: str
    metric: str
    value: float
    over_popularity: Interval
    over_reverse: Interval

    @property
    def in_words(self) -> str:
        """What the rule is and how far it gets."""
        rule = {"next-id": "the next ids in sort order", "next-row": "the next rows among those of one time"}.get(
            self.name, self.name
        )
        return f"{rule} reach {self.metric.upper()} {self.value:.4f}, {_signed(self.over_popularity)} beside popularity"


def find_artefacts(
    rules: Mapping[str, tuple[Scored, Scored]], popularity: Scored | None, *, metric: str, n_resamples: int, seed: int
) -> list[Artefact]:
    """The rules that beat popularity and, by a third of their figure, their own reverse, both intervals excluding zero.

    A rule that is nearly as good backwards tells that neighbours in an order are alike, as in a catalogue numbered by shelf.
    One that is better forwards has found the order of the events themselves.

    Args:
        rules: Results of each rule, and of its reverse.
        popularity: That of popularity; None compares with nothing found at all.
        metric: Such as `ndcg@10`.
        n_resamples: Of the bootstrap.
        seed: Of it.

    Returns:
        The strongest first.
    """
    if not rules:
        return []
    floor = 0.0 if popularity is None else popularity.per_user[metric]
    beside = {name: rule.per_user[metric] - floor for name, (rule, _) in rules.items()}
    backwards = {f"{name} backwards": rule.per_user[metric] - back.per_user[metric] for name, (rule, back) in rules.items()}
    intervals = mean_intervals(beside | backwards, n_resamples=n_resamples, seed=seed)
    found = [
        Artefact(
            name=name,
            metric=metric,
            value=float(rule.per_user[metric].mean()),
            over_popularity=intervals[name],
            over_reverse=intervals[f"{name} backwards"],
        )
        for name, (rule, _) in rules.items()
        if intervals[name].low > 0
        and intervals[f"{name} backwards"].low > 0
        and intervals[f"{name} backwards"].value > _MORE_FORWARDS * rule.per_user[metric].mean()
    ]
    return sorted(found, key=lambda each: -each.value)


def is_proved(comparisons: list[Comparison], *, artefacts: Sequence[Artefact] = ()) -> bool:
    """Whether the model beats every baseline, there was one, and no artefact beats popularity."""
    return bool(comparisons) and not artefacts and all(row.is_beaten for row in comparisons)


def is_safe(comparisons: list[Comparison], *, artefacts: Sequence[Artefact] = ()) -> bool:
    """Whether lists made of those of the rules may be published: some rule is beaten, none is better or ahead by a twentieth.

    Args:
        comparisons: With every single rule.
        artefacts: Rules that give the protocol away.
    """
    is_level = all(not row.is_better and row.difference.value > -_AHEAD * row.baseline_value for row in comparisons)
    return not artefacts and is_level and any(row.is_beaten for row in comparisons)


def state_artefacts(artefacts: Sequence[Artefact]) -> str:
    """Why nothing that follows can be trusted."""
    found = "; ".join(each.in_words for each in artefacts)
    causes = " ".join(_CAUSES[each.name] for each in artefacts if each.name in _CAUSES)
    return f"No figure of this protocol can be trusted: {found}. An order gives away what is held out. {causes}".rstrip()


def advise(
    comparisons: list[Comparison],
    *,
    artefacts: Sequence[Artefact] = (),
    is_proved: bool,
    is_fused: bool = False,
) -> str:
    """What to do, in plain words, before the figures.

    Args:
        comparisons: From `compare_to_baselines`.
        artefacts: From `find_artefacts`.
        is_proved: Whether the model may be promoted.
        is_fused: Whether its lists are made of those of the rules too.
    """
    if is_proved:
        if level := [row.baseline for row in comparisons if not row.is_beaten]:
            return f"Use these lists: no simple rule does better. On this test they cannot be told apart from {level[0]}."
        what, does = ("these lists", "they do") if is_fused else ("this model", "it does")
        return f"Use {what}: {does} better than every simple rule that was tried, and not by chance."
    if artefacts:
        return "Do not use this model: the log gives away what is held out, so no figure says anything of taste."
    better = [row for row in comparisons if row.is_better]
    if better:
        return (
            f"Do not use this model yet: a simple rule, {better[0].baseline}, does better. What to try: publish its lists "
            f"(baselines/{better[0].baseline.replace('-', '_')}.parquet), or give the model more epochs, attributes of items, "
            "or a longer log."
        )
    if comparisons and not all(row.is_beaten for row in comparisons):
        return (
            "Not proved: this model cannot be told apart from a simple rule on this test. What to try: a longer test window, "
            "so that more users are judged, or a longer log."
        )
    return "Not proved: see the reason below."


def state_verdict(model: str, comparisons: list[Comparison], *, left_out: Sequence[str] = ()) -> str:
    """The first line of summary and report.

    Args:
        model: The model's name.
        comparisons: From `compare_to_baselines`.
        left_out: Baselines that the catalogue is too large for.
    """
    text = _state_comparisons(model, comparisons)
    return f"{text} Left out, the catalogue being too large for them: {', '.join(left_out)}." if left_out else text


def _state_comparisons(model: str, comparisons: list[Comparison]) -> str:
    if not comparisons:
        return f"{model} was compared with no baseline, so nothing is proved."
    metric = comparisons[0].metric.upper()
    better, unlike = [row for row in comparisons if row.is_better], [row for row in comparisons if not row.is_beaten]
    unlike = [row for row in unlike if not row.is_better]
    told = []
    if better:
        told.append(f"does NOT beat on {metric}: {_listed(better)}")
    if unlike:
        told.append(f"is NOT distinguishable on {metric} from: {_listed(unlike)}")
    if told:
        return f"{model} {', and '.join(told)}."
    best = comparisons[0]
    return f"{model} beats every baseline on {metric}; the best of them is {best.baseline}, by {_signed(best.difference)}."


def _signed(interval: Interval) -> str:
    return f"{interval.value:+.4f}, 95 % interval {interval.low:+.4f} to {interval.high:+.4f}"


def _listed(rows: Sequence[Comparison]) -> str:
    return ", ".join(f"{row.baseline} ({_signed(row.difference)})" for row in rows)
