"""baselines: the same candidate table from what the model has to beat, one file a baseline."""

import polars as pl

from pipelines.config import Baseline, BaselinesSettings
from pipelines.stage import StageRun, run_stage
from recsys.baselines.ease import ease_scores
from recsys.baselines.item_knn import item_knn_scores
from recsys.baselines.popularity import popularity_scores
from recsys.baselines.random import random_scores
from recsys.baselines.ranking import ScoreBlock, rank_unseen
from recsys.baselines.recent_popularity import recent_popularity_scores
from recsys.baselines.train_matrix import BaselineData, build_baseline_data
from recsys.data.schema import INTERACTIONS, check_table
from recsys.retrieval.candidates import check_list_length, write_candidates


def work(stage: StageRun[BaselinesSettings]) -> None:
    """Fit each baseline on train, score with histories up to the request, and write its lists."""
    split, settings = stage.read("split"), stage.settings
    parts = [pl.read_parquet(split / f"{name}.parquet") for name in ("train", "validation")]
    for part in parts:
        check_table(part, INTERACTIONS, name="split")
    data = build_baseline_data(*parts)
    check_list_length(settings.k, n_items=len(data.items), name="baselines")
    skipped = []
    with stage.progress("baselines", len(settings.names)) as show:
        for place, name in enumerate(settings.names):
            show(place, name)
            if name in ("item_knn", "ease") and len(data.items) > settings.largest_catalogue:
                skipped.append(name)
                continue
            write_candidates(
                stage.folder / f"{name}.parquet",
                rank_unseen(data, _scores(name, data, settings), k=settings.k),
                users=data.users,
                items=data.items,
                metadata={"baseline": name},
            )
    stage.facts |= {"n_users": len(data.users), "k": settings.k, "skipped": skipped}
    done = ", ".join(name for name in settings.names if name not in skipped)
    left = f"; left out, catalogue over {settings.largest_catalogue:,} items: {', '.join(skipped)}" if skipped else ""
    stage.say(f"{done}{left}")


def _scores(name: Baseline, data: BaselineData, settings: BaselinesSettings) -> ScoreBlock:
    match name:
        case "random":
            return random_scores(data, seed=settings.seed)
        case "popularity":
            return popularity_scores(data)
        case "recent_popularity":
            return recent_popularity_scores(data, window_days=settings.recent_days)
        case "item_knn":
            return item_knn_scores(data, n_neighbours=settings.n_neighbours, shrinkage=settings.shrinkage)
        case "ease":
            return ease_scores(data, regularisation=settings.regularisation)


def main() -> None:
    """`python -m pipelines.baselines artifacts/<profile>`."""
    run_stage("baselines", BaselinesSettings, work)


if __name__ == "__main__":
    main()
