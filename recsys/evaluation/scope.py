"""All models on one scope of the test: what is new to a user, or all that was taken."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from recsys.core.columns import USER_ID
from recsys.evaluation.background import Background
from recsys.evaluation.comparison import Artefact, Comparison, compare_to_baselines, find_artefacts
from recsys.evaluation.judgements import Judgements
from recsys.evaluation.score import Scored, score_table
from recsys.evaluation.table import metric_rows
from recsys.splits.facts import Scope

FUSION, TOWERS, BLEND = "fusion", "two-tower", "blend"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeScores:
    """The figures of one scope.

    Attributes:
        scope: Which one.
        model: The model whose lists are published.
        judgements: What is relevant.
        tables: The candidate table of each model.
        models: Their figures for each user, the best first.
        rows: For `metrics.json`.
        comparisons: The model with each other one.
        artefacts: Orders of the data that give the test away.
    """

    scope: Scope
    model: str
    judgements: Judgements
    tables: dict[str, Path]
    models: dict[str, Scored]
    rows: list[dict[str, Any]]
    comparisons: list[Comparison]
    artefacts: list[Artefact]

    @property
    def rivals(self) -> list[Comparison]:
        """What has to be beaten: single rules, and for the towers alone a blend of them too; not the parts of a fusion."""
        return [row for row in self.comparisons if self.model == TOWERS or row.baseline not in (TOWERS, BLEND)]

    def as_table(self) -> dict[str, Any]:
        """For `comparisons.json`."""
        compared = [asdict(row) | {"is_beaten": row.is_beaten, "is_better": row.is_better} for row in self.comparisons]
        return {"scope": self.scope, "baselines": compared, "artefacts": [asdict(row) for row in self.artefacts]}


def score_scope(
    tables: Mapping[str, Path],
    judgements: Judgements,
    catalogue: pl.DataFrame,
    *,
    backwards: Mapping[str, Path],
    scope: Scope,
    model: str,
    k: int,
    ks: list[int],
    n_resamples: int,
    seed: int,
    background: Background | None = None,
) -> ScopeScores:
    """Judge the lists of all models, and compare them.

    Args:
        tables: The candidate table of each model, baseline and artefact.
        judgements: What is relevant.
        catalogue: item_id and count, of train.
        backwards: For each artefact the table of its reverse.
        scope: Which one it is.
        model: Whose lists are published.
        k: The list length that models are compared at.
        ks: All list lengths, k among them.
        n_resamples: Of the bootstrap.
        seed: Of it.
        background: For metrics of popularity and diversity; they are left out if None.
    """
    taste = None if background is None else background.of_users(judgements.n_relevant[USER_ID])
    found = {name: score_table(path, judgements, catalogue, ks=ks, name=name, taste=taste) for name, path in tables.items()}
    reverse = {name: score_table(path, judgements, catalogue, ks=[k], name=name) for name, path in backwards.items()}
    metric, resampling = f"ndcg@{k}", {"n_resamples": n_resamples, "seed": seed}
    models = {name: found[name] for name in sorted(found, key=lambda name: (-float(found[name].per_user[metric].mean()), name))}
    others = {name: found[name] for name in tables if name != model and name not in reverse}
    rules = {name: (models[name], back) for name, back in reverse.items()}
    return ScopeScores(
        scope=scope,
        model=model,
        judgements=judgements,
        tables=dict(tables),
        models=models,
        rows=metric_rows(models, n_items=catalogue.height, ks=ks, **resampling),
        comparisons=compare_to_baselines(models[model], others, metric=metric, **resampling),
        artefacts=find_artefacts(rules, models.get("popularity"), metric=metric, **resampling),
    )
