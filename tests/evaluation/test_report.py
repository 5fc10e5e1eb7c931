import re

import numpy as np
import pytest

from recsys.evaluation.comparison import compare_to_baselines, is_proved, state_verdict
from recsys.evaluation.report import HealthSection, write_report
from recsys.evaluation.table import metric_rows
from recsys.index.facts import IndexFacts

_POINT = {"backend": "annoy", "build": "10 trees", "effort": 9, "k": 10, "recall": 0.97, "queries_per_second": 100.0}
_INDEX = IndexFacts(
    **_POINT,
    target_recall=0.95,
    why="it is <fast>",
    score="cosine",
    n_items=9,
    n_added=0,
    vectors_sha256="",
    added_sha256="",
    index_sha256=None,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def write(tmp_path, scored_of, random_hits):
    """Write a report of a model and a baseline; keywords change names and chances of a hit."""

    def run(
        file="report.html",
        *,
        name="shop",
        model="two-tower",
        other_scopes=None,
        sources=(),
        chance=0.3,
        ks=(10,),
        baselines=("popularity",),
        has_curve=True,
        health="",
        segments=(),
    ):
        width = max(ks)
        models = {model: scored_of(random_hits(80, chance, width=width), ks=ks)}
        for seed, baseline in enumerate(baselines, start=1):
            models[baseline] = scored_of(random_hits(80, 0.1, seed=seed, width=width), ks=ks)
        others = {other: scored for other, scored in models.items() if other != model}
        metric = f"ndcg@{min(ks)}"
        comparisons = compare_to_baselines(models[model], others, metric=metric, n_resamples=50, seed=0)
        write_report(
            tmp_path / file,
            name=name,
            model=model,
            advice="Try <this> first.",
            verdict=state_verdict(model, comparisons),
            is_good=is_proved(comparisons),
            rows=metric_rows(models, n_items=30, ks=ks, n_resamples=20, seed=0),
            comparisons=comparisons,
            models=models,
            item_counts=np.arange(30),
            ceiling=0.9,
            headline=[f"hr@{min(ks)}", f"ndcg@{min(ks)}", f"recall@{max(ks)}", f"coverage@{min(ks)}"],
            k=min(ks),
            protocol=["Split: temporal <cut>: one for all", "Seen: removed"],
            index=_INDEX,
            others=other_scopes or {},
            sources=sources,
            index_curve=[_POINT, _POINT | {"effort": 5, "recall": 0.9}] if has_curve else [],
            segments=segments,
            health=HealthSection(
                verdict=health, is_sound=not health, lines=["Hubness: <low>"], pictures=["<svg id='map'></svg>"]
            ),
        )
        return tmp_path / file

    return run


def test_the_page_needs_nothing_from_outside(write):
    page = write().read_text(encoding="utf-8")
    targets = re.findall(r"""(?:src|href|action|data)\s*=\s*["']?([^"'\s>]*)""", page)
    assert [target for target in targets if not target.startswith("#")] == []
    assert [target for target in re.findall(r"url\(([^)]*)\)", page) if not target.startswith("#")] == []
    assert not re.search(r"<(script|link|iframe|img|object|embed)\b|@import", page)


@pytest.mark.parametrize(
    ("chance", "says", "looks_good"), [(0.4, "beats every baseline", True), (0.02, "does NOT beat", False)]
)
def test_advice_and_verdict_are_the_first_text_of_the_page(write, chance, says, looks_good):
    body = write(chance=chance).read_text(encoding="utf-8").split("<main>")[1]
    first = re.match(r'\s*<div class="([^"]*)" role="note"><p>([^<]*)</p><p class="figures">([^<]*)</p></div>', body)
    assert first[2] == "Try &lt;this&gt; first."
    assert says in first[3]
    assert ("bad" not in first[1]) is looks_good


def test_without_baselines_the_page_does_not_look_good(write):
    body = write(baselines=()).read_text(encoding="utf-8").split("<main>")[1]
    assert 'class="verdict bad"' in body
    assert "nothing is proved" in body


@pytest.mark.parametrize("field", ["name", "model"])
def test_a_hostile_name_is_escaped_everywhere(write, field):
    page = write(**{field: '<script>alert("1")</script>'}).read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_protocol_is_escaped_too(write):
    assert "temporal &lt;cut&gt;" in write().read_text(encoding="utf-8")


def test_the_protocol_stands_line_by_line_before_the_results(write):
    page = write().read_text(encoding="utf-8")
    lines = re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", page.split("<h2>Results</h2>")[0])
    assert lines == [("Split", "temporal &lt;cut&gt;: one for all"), ("Seen", "removed")]
    assert page.index("<dt>Seen</dt>") < page.index("<h2>Results</h2>")


@pytest.mark.slow
def test_the_same_input_gives_the_same_bytes(write):
    assert write("first.html").read_bytes() == write("second.html").read_bytes()


def test_every_figure_of_every_model_is_on_the_page(write):
    page = write(baselines=("popularity", "random"))
    text = page.read_text(encoding="utf-8")
    for model in ("two-tower", "popularity", "random"):
        assert len(re.findall(rf"<tr><td>{model}</td><td>[a-z]+@10</td>", text)) == 5


@pytest.mark.slow
@pytest.mark.parametrize("ks", [(10,), (5, 20), (1, 3), (10, 25)])
def test_lists_of_any_length_can_be_reported(write, ks):
    page = write(ks=ks).read_text(encoding="utf-8")
    assert f'<th scope="col">RECALL@{max(ks)}</th>' in page


def test_the_index_is_drawn_where_one_was_measured(write):
    page = write().read_text(encoding="utf-8")
    assert "recall@10 against exact search" in page
    assert "it is &lt;fast&gt;" in page
    assert "<h2>Index</h2>" not in write(has_curve=False).read_text(encoding="utf-8")


def test_the_health_of_the_embeddings_is_told_and_a_fault_looks_bad(write):
    page = write(health="collapsed: all <alike>").read_text(encoding="utf-8")
    assert '<p class="verdict bad">collapsed: all &lt;alike&gt;</p>' in page
    assert "<dt>Hubness</dt><dd>&lt;low&gt;</dd>" in page and "<svg id='map'>" in page


def test_segments_have_a_table_each(write):
    cell = {"value": 0.25, "low": 0.2, "high": 0.3, "n_users": 1234, "metric": "recall@10"}
    rows = [{"segment": "cold <items>", "model": model} | cell for model in ("two-tower", "content-knn")]
    page = write(segments=rows).read_text(encoding="utf-8")
    assert "<h3>cold &lt;items&gt;, 1234 users</h3>" in page
    assert page.split("<h3>")[1].split("</table>")[0].count("<tr") == 3


def test_what_else_was_judged_has_a_table_of_its_own(write):
    rows = [
        {"model": name, "metric": metric, "value": 0.4321, "low": 0.4, "high": 0.5, "n_users": 9}
        for name in ("own-history", "two-tower")
        for metric in ("hr@10", "ndcg@10", "recall@10", "coverage@10")
    ]
    page = write(other_scopes={"all items, repeats included": rows}).read_text(encoding="utf-8")
    assert page.count("all items, repeats included") == 1
    assert page.index("own-history") > page.index("all items, repeats included")
    assert "all items, repeats included" not in write().read_text(encoding="utf-8")


def test_each_source_stands_with_its_weight_its_share_and_what_it_adds(write):
    row = {"name": "item-knn", "weight": 0.3, "share": 0.1234, "alone": 0.0567, "adds": -0.0089}
    page = write(sources=[row]).read_text(encoding="utf-8")
    cells = page.split("Where the lists come from")[1].split("</table>")[0]
    for text in ("item-knn", "<td>0.3</td>", "12.3 %", "0.0567", "-0.0089"):
        assert text in cells
    assert "Where the lists come from" not in write().read_text(encoding="utf-8")
