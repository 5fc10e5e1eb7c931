"""rank-…: HR@10 and NDCG@10 of the frozen profiles, the mean of three seeds, against the best published figures.

Each bar trains three times and takes from minutes to an hour, so all of them run only when named.
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

from pipelines.benchmarks.bar import Result, Workspace, at_least
from pipelines.benchmarks.child import run_own, run_process
from pipelines.layout import lay_out
from pipelines.settings.profile import Profile, read_shipped
from pipelines.stages.stage import console
from recsys.core.facts import read_facts
from recsys.data.facts import IngestFacts
from recsys.evaluation.protocol import state_request_time, state_split, state_ties, state_train_part
from recsys.features.facts import PairsFacts
from recsys.splits.facts import SplitFacts

SEEDS = (0, 1, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """One line of the table of results.

    Attributes:
        name: Of the bar.
        profile: The shipped profile.
        published: HR@10 and NDCG@10 of the best published model of the kind; None if there is none.
        source: Whose figures those are.
        bar: HR@10 and NDCG@10 that the mean must reach; None if it is only reported.
        changes: Settings that differ from the profile, table by table.
    """

    name: str
    profile: str
    published: tuple[float, float] | None
    source: str
    bar: tuple[float, float] | None
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


RANKINGS = (
    Ranking(
        name="rank-ml-1m",
        profile="ml-1m",
        published=(0.3642, 0.2164),
        source="RecTools HSTU-large, one run",
        bar=(0.39, 0.235),
        changes={"ingest": {"ties": "file"}},
    ),
    Ranking(
        name="rank-ml-1m-shuffled",
        profile="ml-1m",
        published=None,
        source="nobody",
        bar=None,
        changes={"ingest": {"ties": "shuffled"}},
    ),
    Ranking(
        name="rank-ml-1m-gaps",
        profile="ml-1m",
        published=None,
        source="nobody",
        bar=(0.343, 0.205),
        changes={"ingest": {"ties": "file"}, "pairs": {"request_time": "unknown"}, "train": {"n_epochs": 10}},
    ),
    Ranking(
        name="rank-ml-1m-order",
        profile="ml-1m-order",
        published=(0.3369, 0.2007),
        source="ICSRec, on its own file",
        bar=(0.33, 0.194),
        changes={"ingest": {"ties": "file"}},
    ),
    Ranking(
        name="rank-ml-1m-all-but-last",
        profile="ml-1m",
        published=(0.3419, 0.1944),
        source="HSTU by NetEase",
        bar=(0.335, 0.192),
        changes={"ingest": {"ties": "unstable"}, "split": {"validation": False}},
    ),
    Ranking(
        name="rank-beauty",
        profile="beauty",
        published=(0.1008, 0.0611),
        source="BSARec",
        bar=(0.0975, 0.059),
    ),
    Ranking(
        name="rank-sports",
        profile="sports",
        published=(0.0569, 0.0335),
        source="SASRec with sampled softmax (HR), ICSRec (NDCG)",
        bar=(0.056, 0.0325),
    ),
)


def measure(workspace: Workspace, ranking: Ranking) -> Iterator[Result]:
    """Two bars, HR@10 and NDCG@10."""
    profile = change_profile(read_shipped(ranking.profile), ranking.name, ranking.changes)
    run = prepare(profile, workspace, log=ranking.name)
    figures = []
    for seed in SEEDS:
        settings = profile.train.change(seed=seed).as_table()
        job = {"pairs": str(run / "pairs"), "test": str(run / "split" / "test.parquet"), "settings": settings}
        figures.append(run_own("ranking", job, log=workspace.log(f"{ranking.name}-{seed}")))
        console.print(f"  seed {seed}: {_in_words(figures[-1])}", markup=False)
    split, pairs = read_facts(run / "split", SplitFacts), read_facts(run / "pairs", PairsFacts)
    protocol = (
        f"{split.protocol}, {state_split(split)}, trained on {state_train_part(split)}; ties: "
        f"{state_ties(read_facts(run / 'ingest', IngestFacts))}; request time: "
        f"{state_request_time(pairs, split, reads_times=profile.train.model.use_time)}; {split.n_test:,} users"
    )
    for number, metric in enumerate(("hr", "ndcg")):
        values = [figure[metric] for figure in figures]
        yield _result(ranking, metric, number, values, figures, protocol=protocol)


def prepare(profile: Profile, workspace: Workspace, *, log: str) -> Path:
    """A run folder below the benchmarks with the stages up to `pairs` done."""
    run, _ = lay_out(profile, workspace.folder / "runs", protocol=None, owner_pid=None)
    for stage in ("ingest", "split", "pairs"):
        run_process([sys.executable, "-m", f"pipelines.stages.{stage}", str(run)], log=workspace.log(log))
    return run


def change_profile(profile: Profile, name: str, changes: Mapping[str, Mapping[str, Any]]) -> Profile:
    """A profile with another name and some other settings, checked again as a whole."""
    tables = profile.model_dump(mode="json", by_alias=True)
    for table, settings in changes.items():
        tables[table] |= settings
    return Profile.model_validate(tables | {"name": name})


def _result(
    ranking: Ranking, metric: str, number: int, values: list[float], figures: list[dict[str, Any]], *, protocol: str
) -> Result:
    published = None if ranking.published is None else ranking.published[number]
    listed = ", ".join(f"{value:.4f}" for value in values)
    minutes = mean(figure["minutes"] for figure in figures)
    return Result(
        name=f"{ranking.name}-{metric}",
        what=f"{metric.upper()}@10 of the profile {ranking.profile}; {protocol}; whole catalogue of train, seen items removed, "
        f"unknown items are misses; epoch chosen on validation where there is one; "
        f"mean of {len(values)} seeds ({listed}), {minutes:.1f} minutes of training each",
        unit=f"{metric}@10",
        ours=mean(values),
        peer=published,
        peer_version=f"published: {ranking.source}",
        ratio=None if published is None else mean(values) / published,
        limits=() if ranking.bar is None else (at_least("ours", ranking.bar[number]),),
    )


def _in_words(figure: dict[str, Any]) -> str:
    validation = "none" if figure["validation"] is None else f"{figure['validation']:.4f}"
    return (
        f"HR@10 {figure['hr']:.4f}  NDCG@10 {figure['ndcg']:.4f}  validation NDCG@10 {validation}  "
        f"epoch {figure['epoch']}  {figure['minutes']:.1f} minutes"
    )
