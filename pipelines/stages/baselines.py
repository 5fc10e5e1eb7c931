"""baselines: the same candidate table from what the model has to beat, one file a baseline."""

import polars as pl

from pipelines.settings.baselines import Baseline, BaselinesSettings
from pipelines.stages.stage import Stage, StageRun
from recsys.baselines.als import als_scores
from recsys.baselines.ease import ease_scores
from recsys.baselines.facts import BaselinesFacts
from recsys.baselines.item_knn import item_knn_scores
from recsys.baselines.popularity import popularity_scores
from recsys.baselines.random import random_scores
from recsys.baselines.ranking import Lists, rank_same_for_all, rank_unseen
from recsys.baselines.recent_popularity import recent_popularity_scores
from recsys.baselines.train_matrix import BaselineData, build_baseline_data
from recsys.candidates.table import write_candidates
from recsys.data.facts import IngestFacts
from recsys.data.schema import INTERACTIONS, check_table
from recsys.index.nearest import Found, check_list_length


def work(stage: StageRun[BaselinesSettings]) -> BaselinesFacts:
    """Fit each baseline on train, score with histories up to the request, and write its lists."""
    split, settings = stage.read("split"), stage.settings
    parts = [pl.read_parquet(split / f"{name}.parquet") for name in ("train", "validation")]
    for part in parts:
        check_table(part, INTERACTIONS, name="split")
    data = build_baseline_data(*parts)
    check_list_length(settings.k, n_items=len(data.items), name="baselines")
    skipped, has_time = list[str](), stage.facts_of("ingest", IngestFacts).has_time
    with stage.progress("baselines", len(settings.names)) as show:
        for place, name in enumerate(settings.names):
            show(place, name)
            if name == "recent_popularity" and not has_time:
                continue
            if name in ("item_knn", "ease", "als") and len(data.items) > settings.largest_catalogue:
                skipped.append(name)
                continue
            write_candidates(
                stage.folder / f"{name}.parquet",
                ((user_idx, Found.of_one(lists)) for user_idx, lists in _lists(name, data, settings)),
                users=data.users,
                items=data.items,
                metadata={"baseline": name},
            )
    done = ", ".join(sorted(path.stem for path in stage.folder.glob("*.parquet")))
    left = f"; left out, more than {settings.largest_catalogue:,} items: {', '.join(skipped)}" if skipped else ""
    stage.say(f"{done}{left}")
    return BaselinesFacts(n_users=len(data.users), k=settings.k, skipped=skipped)


def _lists(name: Baseline, data: BaselineData, settings: BaselinesSettings) -> Lists:
    k = settings.k
    match name:
        case "random":
            return rank_unseen(data, random_scores(data, seed=settings.seed), k=k)
        case "popularity":
            return rank_same_for_all(data, popularity_scores(data), k=k)
        case "recent_popularity":
            return rank_same_for_all(data, recent_popularity_scores(data, window_days=settings.recent_days), k=k)
        case "item_knn":
            scores = item_knn_scores(data, n_neighbours=settings.n_neighbours, shrinkage=settings.shrinkage)
            return rank_unseen(data, scores, k=k)
        case "ease":
            return rank_unseen(data, ease_scores(data, regularisation=settings.regularisation), k=k)
        case "als":
            scores = als_scores(
                data,
                dim=settings.als_dim,
                unobserved_weight=settings.als_unobserved_weight,
                regularisation=settings.als_regularisation,
                seed=settings.seed,
            )
            return rank_unseen(data, scores, k=k)


STAGE = Stage(name="baselines", read=BaselinesSettings.model_validate, work=work)

if __name__ == "__main__":
    STAGE.main()
