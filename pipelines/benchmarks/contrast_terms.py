"""terms-…: what each contrastive term is worth beside the plain softmax on Beauty and Sports, in three seeds.

Each set trains fifteen times and takes hours; a training that is done is kept, and the next call goes on with the others.
Sports has half of its profile's epochs, for that reason.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from pipelines.benchmarks.bar import Result, Workspace, in_words
from pipelines.benchmarks.child import run_own
from pipelines.benchmarks.ranking import SEEDS, prepare
from pipelines.settings.profile import read_shipped
from pipelines.stages.stage import console
from recsys.core.files import read_array, read_json, write_json
from recsys.evaluation.intervals import mean_intervals
from recsys.training.build import code_of_training

SETS = ("beauty", "sports")
PLAIN: dict[str, Any] = {"same_target_weight": 0.0, "view_weight": 0.0, "queue_size": 0}
TERMS: dict[str, dict[str, Any]] = {
    "views": {"view_weight": 0.1},
    "same-target": {"same_target_weight": 0.1},
    "queue": {"view_weight": 0.1, "queue_size": 4096},
    "mix": {"view_weight": 0.1, "same_target_weight": 0.1},
}
_EPOCHS: Mapping[str, int] = {"sports": 10}
_N_RESAMPLES = 1000


def measure(workspace: Workspace, name: str, *, epochs: Mapping[str, int] = _EPOCHS) -> Iterator[Result]:
    """One line a term: the mean NDCG@10 of the seeds, and the interval of its difference to the plain softmax."""
    run = prepare(read_shipped(name), workspace, log=f"terms-{name}")
    n_epochs = epochs.get(name, read_shipped(name).train.loop.n_epochs)
    found: dict[str, list[dict[str, Any]]] = {}
    for seed in SEEDS:
        for arm, changes in {"plain": PLAIN, **TERMS}.items():
            settings = PLAIN | changes | {"seed": seed, "n_epochs": n_epochs}
            figures = _train(workspace, run, settings, log=f"terms-{name}-{arm}-{seed}")
            found.setdefault(arm, []).append(figures)
            console.print(
                f"  seed {seed}: {arm:<12} NDCG@10 {figures['ndcg']:.4f}  HR@10 {figures['hr']:.4f}  "
                f"epoch {figures['epoch']}  {figures['minutes']:.1f} minutes",
                markup=False,
            )
    for term, changes in TERMS.items():
        yield _result(name, term, changes, found[term], found["plain"], n_epochs=n_epochs)


def _train(workspace: Workspace, run: Path, changes: dict[str, Any], *, log: str) -> dict[str, Any]:
    """Figures of one training, and `values`, where those of each user are; from what is kept, if it was done before."""
    settings = read_shipped(run.name).train.change(**changes).as_table()
    outputs = [read_json(run / stage / "manifest.json")["outputs"] for stage in ("split", "pairs")]
    key = hashlib.sha256(json.dumps([settings, outputs, code_of_training()], sort_keys=True).encode()).hexdigest()[:16]
    kept, values = workspace.folder / "terms" / f"{key}.json", workspace.folder / "terms" / f"{key}.npy"
    if kept.is_file():
        return dict(read_json(kept))
    kept.parent.mkdir(parents=True, exist_ok=True)
    job = {"pairs": str(run / "pairs"), "test": str(run / "split" / "test.parquet"), "settings": settings}
    figures = run_own("ranking", job | {"values": str(values)}, log=workspace.log(log)) | {"values": str(values)}
    write_json(kept, figures)
    return dict(figures)


def _result(
    name: str, term: str, changes: dict[str, Any], ours: list[dict[str, Any]], plain: list[dict[str, Any]], *, n_epochs: int
) -> Result:
    with_term, without = (np.mean([read_array(Path(own["values"])) for own in side], axis=0) for side in (ours, plain))
    difference = mean_intervals({"difference": with_term - without}, n_resamples=_N_RESAMPLES, seed=0)["difference"]
    minutes = [mean(own["minutes"] for own in side) for side in (ours, plain)]
    listed = [", ".join(f"{own['ndcg']:.4f}" for own in side) for side in (ours, plain)]
    return Result(
        name=f"terms-{name}-{term}",
        what=f"NDCG@10 of the profile {name} with {in_words(changes)} ({listed[0]}; {minutes[0]:.1f} minutes each), against "
        f"the plain softmax ({listed[1]}; {minutes[1]:.1f} minutes), {n_epochs} epochs each, the best chosen on validation; "
        f"leave-last-out, whole catalogue, seen items removed, {len(with_term):,} users, the same {len(ours)} seeds; "
        f"difference {difference.value:+.4f} [{difference.low:+.4f}, {difference.high:+.4f}], 95 % bootstrap over users",
        unit="NDCG@10",
        ours=float(with_term.mean()),
        peer=float(without.mean()),
        peer_version="the same without the term",
        ratio=float(with_term.mean() / without.mean()) if without.mean() else None,
        limits=(),
    )
