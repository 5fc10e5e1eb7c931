import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsys.core.files import write_array
from recsys.evaluation.health import assess_embeddings, health_figures


def _assess(run: Path, embed: Path):  # type: ignore[no-untyped-def]
    test = pl.read_parquet(run / "split" / "test.parquet")
    return assess_embeddings(ingest=run / "ingest", pairs=run / "pairs", embed=embed, test=test, seed=0)


def test_a_trained_run_is_sound_and_in_words(finished: Path) -> None:
    health, section = _assess(finished, finished / "embed")
    assert section.is_sound and section.verdict == "The embeddings are sound."
    assert health.dim == 16 and 0 < health.alignment < 2, "users are nearer to what came next than by chance"
    labels = [line.split(":")[0] for line in section.lines]
    assert labels == [
        "Alignment",
        "Uniformity",
        "Mean cosine",
        "Effective rank",
        "Hubness",
        "Dead ids",
        "Norm against popularity",
    ]
    assert len(section.pictures) == 2 and all(drawn.startswith("<svg") and caption for drawn, caption in section.pictures)


def test_the_stage_writes_them_and_the_page_shows_them(finished: Path) -> None:
    health, section = _assess(finished, finished / "embed")
    written = json.loads((finished / "evaluate" / "embedding_health.json").read_text())
    assert written["effective_rank"] == pytest.approx(health.effective_rank)
    assert written["faults"] == []
    page = (finished / "evaluate" / "report.html").read_text()
    assert "Embedding health" in page and section.verdict in page


def test_a_collapsed_run_is_named_as_such(copy_of: Path, run_stage, capsys) -> None:  # type: ignore[no-untyped-def]
    vectors = np.load(copy_of / "embed" / "items.npy")
    write_array(copy_of / "embed" / "items.npy", np.repeat(vectors[:1], len(vectors), axis=0))
    run_stage("evaluate", copy_of)
    assert (
        "The embeddings are collapsed or hardly trained: two items have a cosine of 1.00 on average" in capsys.readouterr().err
    )
    verdict = json.loads((copy_of / "evaluate" / "comparisons.json").read_text())["verdict"]
    assert verdict.startswith("The embeddings are collapsed")


def test_without_a_pair_to_measure_alignment_is_null(finished: Path) -> None:
    nobody = pl.read_parquet(finished / "split" / "test.parquet").clear()
    health, _ = assess_embeddings(
        ingest=finished / "ingest", pairs=finished / "pairs", embed=finished / "embed", test=nobody, seed=0
    )
    assert health_figures(health)["alignment"] is None
