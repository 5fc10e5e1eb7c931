"""What the stage `evaluate` tells of the model."""

from dataclasses import dataclass

from recsys.splits.facts import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateFacts:
    """The verdict and what it rests on.

    Attributes:
        advice: What to do, in plain words.
        verdict: For people, with the figures.
        headline: The metrics that are shown first.
        protocol: What was done, line by line, each with its label before the first colon.
        model: The name of ours in the table.
        scopes: What was judged, the first counting for promotion: `new`, or `all` with repeats.
    """

    advice: str
    verdict: str
    headline: list[str]
    protocol: list[str]
    model: str
    scopes: list[Scope]
