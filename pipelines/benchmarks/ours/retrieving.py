"""The stage retrieve on vectors and histories that are there: `{"run": FOLDER, "k": K}`.

The run has `embed/` and `pairs/` with arrays alone; what else the stage reads is written here first, and does not count.
"""

import json
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from pipelines.settings.retrieve import RetrieveSettings
from pipelines.stages.retrieve import work
from pipelines.stages.stage import StageRun
from recsys.core.columns import ITEM_ID, ITEM_IDX, USER_ID, USER_IDX
from recsys.core.facts import as_table
from recsys.core.files import MANIFEST, read_array, write_json
from recsys.data.schema import INTERACTIONS
from recsys.data.vocabulary import Vocabulary, write_vocabulary
from recsys.index.published import build_index
from recsys.splits.parts import Split

_TO_GB = 1e-9 if sys.platform == "darwin" else 1024e-9


def retrieve(job: dict[str, Any]) -> dict[str, float]:
    """`seconds` of the stage in all, of its `search` and its `write`, and the `peak_gb` of its memory."""
    run = Path(job["run"])
    _prepare(run, job["k"])
    settings = RetrieveSettings(k=job["k"], similar_k=0, sources=["two_tower"], seen="drop")
    folder = run / ".retrieve.partial"
    folder.mkdir()
    stage = StageRun(name="retrieve", run=run, settings=settings, folder=folder)
    began = time.perf_counter()
    facts = work(stage)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _TO_GB
    return {"seconds": seconds, "peak_gb": peak, "search": facts.search_seconds, "write": facts.write_seconds}


def _prepare(run: Path, k: int) -> None:
    items, users = read_array(run / "embed" / "items.npy"), read_array(run / "embed" / "users.npy")
    for name, count, column, idx in (("users", len(users), USER_ID, USER_IDX), ("items", len(items), ITEM_ID, ITEM_IDX)):
        ids = pl.Series([f"{name[0]}{position:09d}" for position in range(count)])
        write_vocabulary(run / "pairs" / f"{name}.parquet", Vocabulary(ids=ids), id_column=column, idx_column=idx)
    (run / "ingest").mkdir()
    pl.read_parquet(run / "pairs" / "items.parquet").select(ITEM_ID).write_parquet(run / "ingest" / "items.parquet")
    build_index(
        run / "index",
        run / "embed" / "items.npy",
        np.array(users[:8]),
        backend="exact",
        k=k,
        target_recall=0.99,
        n_queries=8,
        seed=0,
    )
    for stage in ("ingest", "pairs", "train", "embed", "index"):
        write_json(run / stage / MANIFEST, {"facts": {}})
    nothing = pl.DataFrame(schema=INTERACTIONS)
    split = Split(protocol="temporal", train=nothing, validation=nothing, test=nothing).facts()
    write_json(run / "split" / MANIFEST, {"facts": as_table(replace(split, n_test_pairs=1))})


def main() -> None:
    """`python -m pipelines.benchmarks.ours.retrieving JOB RESULT`."""
    write_json(Path(sys.argv[2]), retrieve(json.loads(sys.argv[1])))


if __name__ == "__main__":
    main()
