"""index: item vectors to a search index that is held to its recall against exact search."""

import time

import numpy as np

from pipelines.config import IndexSettings
from pipelines.stage import StageRun, run_stage
from recsys.core.files import read_array
from recsys.retrieval.published import build_index, open_index


def work(stage: StageRun[IndexSettings]) -> None:
    """Build, measure, and stop the run if the recall is missed."""
    embed, settings = stage.read("embed"), stage.settings
    users = read_array(embed / "users.npy")
    about = build_index(
        stage.folder,
        embed / "items.npy",
        users,
        backend=settings.backend,
        k=settings.k,
        target_recall=settings.target_recall,
        n_queries=settings.measured_users,
        seed=settings.seed,
    )
    queries = np.array(users[: settings.measured_users])
    index = open_index(stage.folder, embed / "items.npy")
    began = time.perf_counter()
    index.search(queries, k=about["k"])
    rate = len(queries) / (time.perf_counter() - began)
    stage.facts |= {name: value for name, value in about.items() if name != "measured"} | {"queries_per_second": round(rate)}
    setting = f", {about['n_trees']} trees, search_k {about['search_k']}" if settings.backend == "annoy" else ""
    stage.say(
        f"{settings.backend}{setting}: recall@{about['k']} {about['recall']:.4f} against exact search, {rate:,.0f} queries/s"
    )


def main() -> None:
    """`python -m pipelines.index artifacts/<profile>`."""
    run_stage("index", IndexSettings, work)


if __name__ == "__main__":
    main()
