"""baselines: the same candidate table from what the model has to beat, one file a baseline, settings chosen on validation."""

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.settings.baselines import BaselinesSettings
from pipelines.stages.stage import Stage, StageRun
from recsys.baselines.artefacts import next_in_order_ranker, next_row_ranker, order_of_ids
from recsys.baselines.blend import blend_ranker, fit_weights
from recsys.baselines.choose import Choice, choose, choose_judged, families
from recsys.baselines.facts import BaselinesFacts
from recsys.baselines.ranking import Ranker
from recsys.baselines.train_matrix import BaselineData, build_baseline_data
from recsys.candidates.table import write_candidates
from recsys.core.files import write_json
from recsys.data.facts import IngestFacts
from recsys.data.schema import INTERACTIONS, check_table
from recsys.index.nearest import Found, check_list_length

_ARTEFACTS = ("next_id", "next_row")
_BACKWARDS = "backwards/"


def work(stage: StageRun[BaselinesSettings]) -> BaselinesFacts:
    """Choose each baseline's settings on validation, fit it on all events before the request, and write its lists."""
    split, settings = stage.read("split"), stage.settings
    train, validation = (pl.read_parquet(split / f"{name}.parquet") for name in ("train", "validation"))
    for part in (train, validation):
        check_table(part, INTERACTIONS, name="split")
    known, past = build_baseline_data(train, validation), build_baseline_data(train, validation.clear())
    check_list_length(settings.k, n_items=known.n_items, name="baselines")
    judged = choose_judged(past, validation, at_most=settings.validation_users, seed=settings.seed)
    asked = {name: each for name, each in families(seed=settings.seed).items() if name in settings.names}
    if not stage.facts_of("ingest", IngestFacts).has_time:
        asked = {name: each for name, each in asked.items() if not each.has_time}
    skipped = [name for name, each in asked.items() if each.is_quadratic and known.n_items > settings.largest_catalogue]
    choices, rankers = dict[str, Choice](), dict[str, Ranker]()
    with stage.progress("baselines", len(asked) + 1) as show:
        for done, name in enumerate(name for name in asked if name not in skipped):
            show(done, name)
            choices[name] = choose(asked[name], past, judged)
            rankers[name] = asked[name].build(known, choices[name].variant)
            _write(stage, name, known, rankers[name])
        show(len(asked), "blend")
        weights, blended = dict[str, float](), {name: found for name, each in choices.items() if (found := each.lists)}
        blended.pop("random", None)
        if "blend" in settings.names and judged is not None and len(blended) > 1:
            weights = fit_weights(blended, judged.ndcg, n_items=known.n_items, k=10)
            _write(stage, "blend", known, blend_ranker(rankers, weights, n_items=known.n_items))
    ids = order_of_ids(known)
    for folder, by_id, is_backwards in (("", ids, False), (_BACKWARDS, ids[::-1], True)):
        _write(stage, f"{folder}next_id", known, next_in_order_ranker(known, by_id))
        _write(stage, f"{folder}next_row", known, next_row_ranker(known, is_backwards=is_backwards))
    facts = BaselinesFacts(
        n_users=len(known.users),
        k=settings.k,
        skipped=[str(name) for name in skipped],
        largest_catalogue=settings.largest_catalogue,
        artefacts=list(_ARTEFACTS),
        chosen={name: dict(each.variant) for name, each in choices.items()} | ({"blend": weights} if weights else {}),
        validation_ndcg={name: each.ndcg for name, each in choices.items() if each.ndcg is not None},
        n_tried=sum(max(len(each.tried), 1) for each in choices.values()),
    )
    tried = {name: [{"settings": dict(row), "ndcg@10": value} for row, value in each.tried] for name, each in choices.items()}
    write_json(stage.folder / "choices.json", {"tried": tried, "weights": weights})
    _say(stage, facts)
    return facts


def _write(stage: StageRun[BaselinesSettings], name: str, data: BaselineData, ranker: Ranker) -> None:
    def blocks() -> Iterator[tuple[NDArray[np.int64], Found]]:
        for user_idx, lists in ranker.lists(len(data.users), k=stage.settings.k):
            yield user_idx, Found.of_one(lists)

    path = stage.folder / f"{name}.parquet"
    write_candidates(path, blocks(), users=data.users, items=data.items, metadata={"baseline": name})


def _say(stage: StageRun[BaselinesSettings], facts: BaselinesFacts) -> None:
    figures: Mapping[str, float] = facts.validation_ndcg
    found = [f"{name} {figures[name]:.4f}" if name in figures else name for name in facts.chosen if name != "blend"]
    used = [name for name, weight in facts.chosen.get("blend", {}).items() if weight]
    best = f"; blend of {', '.join(used)}" if used else ""
    left = f"; left out, more than {facts.largest_catalogue:,} items: {', '.join(facts.skipped)}" if facts.skipped else ""
    what = "NDCG@10 on validation: " if figures else "settings not chosen, nobody can be judged on validation: "
    stage.say(f"{facts.n_tried} settings tried; {what}{', '.join(found)}{best}{left}")


STAGE = Stage(name="baselines", read=BaselinesSettings.model_validate, work=work)

if __name__ == "__main__":
    STAGE.main()
