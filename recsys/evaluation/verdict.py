"""What comes of all comparisons: advice, the sentence under it, and whether the lists may be published."""

from collections.abc import Sequence
from dataclasses import dataclass

from recsys.candidates.facts import RetrieveFacts
from recsys.candidates.sources.choice import TWO_TOWER
from recsys.evaluation.comparison import advise, is_proved, is_safe, state_artefacts, state_verdict
from recsys.evaluation.group_scores import Fall
from recsys.evaluation.health import HealthSection
from recsys.evaluation.scope import TOWERS, ScopeScores
from recsys.splits.facts import SCOPES

_HELD_BACK = "Not yet: the figures are good enough, but something else speaks against these lists, see below."
_MOST_FALLS = 3  # that the verdict names


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """For people.

    Attributes:
        advice: What to do, in plain words.
        text: The same with figures.
        is_proved: Whether the model may be promoted.
    """

    advice: str
    text: str
    is_proved: bool


def decide(
    scores: Sequence[ScopeScores],
    *,
    health: HealthSection,
    falls: Sequence[Fall],
    retrieved: RetrieveFacts,
    left_out: Sequence[str],
) -> Verdict:
    """Put everything that speaks for and against the published lists together.

    Args:
        scores: Of what is judged, the first counting for promotion.
        health: Of the embeddings.
        falls: Parts of users or items that lose more than they may.
        retrieved: What the lists are made of.
        left_out: Baselines that the catalogue is too large for.
    """
    first, model = scores[0], scores[0].model
    text = state_verdict(model, first.rivals, left_out=left_out)
    for other in scores[1:]:
        stated = state_verdict(model, other.rivals)
        if other.artefacts and not first.artefacts:
            stated = f"{state_artefacts(other.artefacts)} {stated}"
        what = "With what users took before" if other.scope == "all" else "Of what is new to them alone"
        text = f"{text} {what}: {stated}"
    passes = is_proved if model == TOWERS else is_safe
    is_good = passes(first.rivals, artefacts=first.artefacts)
    against = _speaks_against(first, health=health, falls=falls if is_good else (), retrieved=retrieved)
    proved = is_good and not against
    text = " ".join([*reversed(against), text])
    if first.artefacts:
        text = f"{state_artefacts(first.artefacts)} {text}"
    advice = _HELD_BACK
    if proved or not is_good:
        advice = advise(first.rivals, artefacts=first.artefacts, is_proved=proved, is_fused=model != TOWERS)
    return Verdict(advice=advice, text=text, is_proved=proved)


def _speaks_against(first: ScopeScores, *, health: HealthSection, falls: Sequence[Fall], retrieved: RetrieveFacts) -> list[str]:
    """Why nothing is proved whatever the figures: lists or vectors are of another kind, or some people lose."""
    found = []
    if falls:
        worst = "; ".join(fall.in_words for fall in falls[:_MOST_FALLS])
        parts = "a part" if len(falls) == 1 else f"{len(falls)} parts"
        found.append(f"Held back for {parts} of users or items that would lose more than they may: {worst}.")
    if retrieved.is_filtered:
        found.append(f"Nothing is proved: filters hold for the lists of {first.model} alone, the baselines are free of them.")
    if first.scope != retrieved.scope:
        found.append(f"Nothing is proved: no test event is of {SCOPES[retrieved.scope]}, which is what is published.")
    if not health.is_sound and TWO_TOWER in retrieved.sources:
        found.append(health.verdict)
    return found
