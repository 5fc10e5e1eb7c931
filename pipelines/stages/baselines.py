"""baselines: the same candidate table from what the model has to beat, one file a baseline, settings chosen on validation."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.settings.baselines import BaselinesSettings
from pipelines.stages.stage import Stage, StageRun
from recsys.baselines.artefacts import next_in_order_ranker, next_row_ranker, order_of_ids
from recsys.baselines.blend import blend_ranker, fit_weights
from recsys.baselines.choose import Choice, Judged, choose, choose_judged
from recsys.baselines.facts import BaselineName, BaselinesFacts
from recsys.baselines.families import Family, families
from recsys.baselines.fitted import write_fitted, write_user_items
from recsys.baselines.on_validation import OnValidation
from recsys.baselines.ranking import Ranker
from recsys.baselines.train_matrix import BaselineData, build_baseline_data
from recsys.candidates.table import write_candidates
from recsys.core.files import write_json
from recsys.data.facts import IngestFacts
from recsys.data.schema import INTERACTIONS, check_table
from recsys.index.nearest import Found, check_list_length
from recsys.splits.facts import SCOPES, Scope, SplitFacts

_ARTEFACTS = ("next_id", "next_row")


def work(stage: StageRun[BaselinesSettings]) -> BaselinesFacts:
    """Choose each baseline's settings on validation, fit it on all events before the request, and write its lists."""
    split, settings = stage.read("split"), stage.settings
    train, validation = (pl.read_parquet(split / f"{name}.parquet") for name in ("train", "validation"))
    for part in (train, validation):
        check_table(part, INTERACTIONS, name="split")
    data = _Data(
        known=build_baseline_data(train, validation),
        past=build_baseline_data(train, validation.clear()),
        validation=validation,
    )
    check_list_length(settings.k, n_items=data.known.n_items, name="baselines")
    n_items = data.known.n_items
    every = families(n_items=n_items, als_dim=settings.als_dim, seed=settings.seed)
    asked = {name: each for name, each in every.items() if name in settings.names}
    log = stage.facts_of("ingest", IngestFacts)
    if not log.has_time:
        asked = {name: each for name, each in asked.items() if not each.has_time}
    skipped = [name for name, each in asked.items() if each.is_quadratic and n_items > settings.largest_catalogue]
    asked = {name: each for name, each in asked.items() if name not in skipped}
    scopes = stage.facts_of("split", SplitFacts).scopes(stage.config.get("repeats", "new"), stage.config.get("seen", "auto"))
    chosen = _choose_and_write(stage, scopes, data, asked)
    # Where the order of rows of one time was found to be that of events, it may well be followed.
    artefacts = ["next_id"] if log.ties == "file" and not log.is_tie_order_sorted else list(_ARTEFACTS)
    for folder, is_backwards in (("", False), ("backwards/", True)):
        for name in artefacts:
            ranker = _artefact(name, data.known, is_backwards=is_backwards)
            for scope in scopes:
                _write(stage, scope, f"{folder}{name}", data.known, ranker)
    facts = BaselinesFacts(
        n_users=len(data.known.users),
        k=settings.k,
        skipped=[str(name) for name in skipped],
        largest_catalogue=settings.largest_catalogue,
        artefacts=artefacts,
        chosen={scope: each.settings for scope, each in chosen.items()},
        validation_ndcg={scope: each.ndcg for scope, each in chosen.items()},
        n_tried=sum(len(rows) for each in chosen.values() for rows in each.tried.values()),
    )
    write_json(stage.folder / "choices.json", {scope: each.tried for scope, each in chosen.items()})
    _say(stage, facts)
    return facts


@dataclass(frozen=True, slots=True, kw_only=True)
class _Data:
    """All that is known at the request, what was known at that of validation, and what came then."""

    known: BaselineData
    past: BaselineData
    validation: pl.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """Of one scope: settings and figures on validation of each baseline, and all that was tried."""

    settings: dict[str, dict[str, Any]]
    ndcg: dict[str, float]
    tried: dict[str, list[dict[str, Any]]]

    @classmethod
    def of(cls, choices: Mapping[str, Choice], weights: dict[str, float]) -> "_Chosen":
        """What was chosen, for files."""
        return cls(
            settings={name: dict(each.variant) for name, each in choices.items()} | ({"blend": weights} if weights else {}),
            ndcg={name: each.ndcg for name, each in choices.items() if each.ndcg is not None},
            tried={
                name: [{"settings": dict(row), "ndcg@10": value} for row, value in each.tried] for name, each in choices.items()
            },
        )


def _choose_and_write(
    stage: StageRun[BaselinesSettings], scopes: list[Scope], data: _Data, asked: Mapping[BaselineName, Family]
) -> dict[Scope, _Chosen]:
    """Choose, fit and write all baselines, for lists without what was taken before and for lists with it."""
    settings, n_items = stage.settings, data.known.n_items
    judged = {
        scope: choose_judged(
            data.past, data.validation, at_most=settings.validation_users, seed=settings.seed, keeps_seen=scope == "all"
        )
        for scope in scopes
    }
    choices: dict[Scope, dict[str, Choice]] = {scope: {} for scope in scopes}
    rankers: dict[Scope, dict[str, Ranker]] = {scope: {} for scope in scopes}
    with stage.progress("baselines", len(asked) + 1) as show:
        for done, (name, family) in enumerate(asked.items()):
            show(done, name)
            own = {scope: users for scope, users in judged.items() if scope == "all" or not family.has_repeats}
            found = choose(family, data.past, own)
            for scope, ranker in family.build(data.known, {scope: each.variant for scope, each in found.items()}).items():
                choices[scope][name], rankers[scope][name] = found[scope], ranker
                _write(stage, scope, name, data.known, ranker)
                if ranker.fitted is not None:
                    write_fitted(stage.folder / "fitted" / scope / name, ranker.fitted)
        show(len(asked), "blend")
        weights = {scope: _blend(judged[scope], choices[scope], settings.names, n_items=n_items) for scope in scopes}
        for scope in scopes:
            if weights[scope]:
                _write(stage, scope, "blend", data.known, blend_ranker(rankers[scope], weights[scope], n_items=n_items))
    for scope, users in judged.items():
        lists = {
            name: each.lists
            for name, each in choices[scope].items()
            if each.lists is not None and rankers[scope][name].fitted is not None
        }
        write_user_items(stage.folder / "fitted" / scope, data.known.taken)
        if users is not None:
            OnValidation(user_ids=data.past.users.ids.gather(users.user_idx), judged=users, lists=lists).write(
                stage.folder / "validation" / scope
            )
    return {scope: _Chosen.of(choices[scope], weights[scope]) for scope in scopes}


def _blend(
    judged: Judged | None, choices: Mapping[str, Choice], names: Sequence[BaselineName], *, n_items: int
) -> dict[str, float]:
    """The weights of a blend; none where it is not asked for, or cannot be judged."""
    lists = {name: each.lists for name, each in choices.items() if each.lists is not None and name != "random"}
    if "blend" not in names or judged is None or len(lists) < 2:
        return {}
    return fit_weights(lists, judged.ndcg, n_items=n_items, k=10)


def _artefact(name: str, data: BaselineData, *, is_backwards: bool) -> Ranker:
    if name == "next_row":
        return next_row_ranker(data, is_backwards=is_backwards)
    ids = order_of_ids(data)
    return next_in_order_ranker(data, ids[::-1] if is_backwards else ids)


def _write(stage: StageRun[BaselinesSettings], scope: Scope, name: str, data: BaselineData, ranker: Ranker) -> None:
    keeps_seen = scope == "all"

    def blocks() -> Iterator[tuple[NDArray[np.int64], Found]]:
        for user_idx, lists in ranker.lists(len(data.users), k=stage.settings.k, keeps_seen=keeps_seen):
            yield user_idx, Found.of_one(lists)

    path = stage.folder / ("repeats" if keeps_seen else "") / f"{name}.parquet"
    write_candidates(path, blocks(), users=data.users, items=data.items, metadata={"baseline": name})


def _say(stage: StageRun[BaselinesSettings], facts: BaselinesFacts) -> None:
    left = f"; left out, more than {facts.largest_catalogue:,} items: {', '.join(facts.skipped)}" if facts.skipped else ""
    stage.say(f"{facts.n_tried} settings tried{left}")
    for scope, chosen in facts.chosen.items():
        figures = facts.validation_ndcg[scope]
        found = [f"{name} {figures[name]:.4f}" if name in figures else name for name in chosen if name != "blend"]
        used = [name for name, weight in chosen.get("blend", {}).items() if weight]
        best = f"; blend of {', '.join(used)}" if used else ""
        what = "NDCG@10 on validation: " if figures else "nobody can be judged on validation: "
        stage.say(f"{SCOPES[scope]}, {what}{', '.join(found)}{best}")


STAGE = Stage(name="baselines", read=BaselinesSettings.model_validate, work=work)

if __name__ == "__main__":
    STAGE.main()
