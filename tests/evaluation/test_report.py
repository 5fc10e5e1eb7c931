import base64
import csv
import io
import re

import numpy as np
import polars as pl
import pytest

from recsys.evaluation.comparison import compare_to_baselines, is_proved, state_verdict
from recsys.evaluation.examples import ItemExample, UserExample
from recsys.evaluation.glossary import GLOSSARY
from recsys.evaluation.health import HealthSection
from recsys.evaluation.judgements import Judgements
from recsys.evaluation.report import Report, write_report
from recsys.evaluation.scope import ScopeScores
from recsys.evaluation.table import metric_rows
from recsys.evaluation.verdict import Verdict
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
_NOBODY = Judgements(pairs=pl.DataFrame(), n_relevant=pl.DataFrame(), n_missing=0, ceiling=0.9, n_repeats=0)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("drawn_once")]


@pytest.fixture
def scores(scored_of, random_hits):
    """A model and baselines on one scope; keywords change names and chances of a hit."""

    def run(*, model="two-tower", scope="new", chance=0.3, ks=(10,), baselines=("popularity",)):
        width = max(ks)
        models = {model: scored_of(random_hits(80, chance, width=width), ks=ks)}
        for seed, baseline in enumerate(baselines, start=1):
            models[baseline] = scored_of(random_hits(80, 0.1, seed=seed, width=width), ks=ks)
        metric = f"ndcg@{min(ks)}"
        models = dict(sorted(models.items(), key=lambda own: -own[1].per_user[metric].mean()))
        others = {other: own for other, own in models.items() if other != model}
        return ScopeScores(
            scope=scope,
            model=model,
            judgements=_NOBODY,
            tables={},
            models=models,
            rows=metric_rows(models, n_items=30, ks=ks, n_resamples=20, seed=0),
            comparisons=compare_to_baselines(models[model], others, metric=metric, n_resamples=50, seed=0),
            artefacts=[],
        )

    return run


@pytest.fixture
def write(tmp_path, scores):
    """Write a report; keywords change the scores and the fields of the report."""

    def run(file="report.html", *, name="shop", other=None, has_curve=True, health="", fields=None, ks=(10,), **options):
        first = scores(ks=ks, **options)
        proved = is_proved(first.comparisons)
        report = {
            "name": name,
            "verdict": Verdict(advice="Try <this> first.", text=state_verdict(first.model, first.rivals), is_proved=proved),
            "version": "1.2.3",
            "made_at": "2026-11-28",
            "scores": [first] if other is None else [first, other],
            "item_counts": np.arange(30),
            "headline": [f"hr@{min(ks)}", f"ndcg@{min(ks)}", f"recall@{max(ks)}", f"coverage@{min(ks)}"],
            "k": min(ks),
            "data": ["Events: <many>"],
            "protocol": ["Split: temporal <cut>: one for all", "Seen: removed"],
            "sources": [],
            "epochs": [{"epoch": 1, "loss": 3.0, "validation_ndcg": 0.1, "is_best": True}],
            "segments": [],
            "groups": [],
            "users": [],
            "items": [],
            "index": _INDEX,
            "index_curve": [_POINT, _POINT | {"effort": 5, "recall": 0.9}] if has_curve else [],
            "health": HealthSection(
                verdict=health, is_sound=not health, lines=["Hubness: <low>"], pictures=[("<svg id='map'></svg>", "a <map>")]
            ),
            "settings": {"train": {"dim": 64, "comment": "<b>"}},
        }
        write_report(tmp_path / file, Report(**report | (fields or {})))
        return tmp_path / file

    return run


def test_the_page_needs_nothing_from_outside(write):
    page = write().read_text(encoding="utf-8")
    targets = re.findall(r"""(?:src|href|action|data)\s*=\s*["']?([^"'\s>]*)""", page)
    assert [target[:14] for target in targets if not target.startswith("#")] == ["data:text/csv;"]
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


def test_the_protocol_stands_line_by_line(write):
    page = write().read_text(encoding="utf-8")
    lines = re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", page.split("What was done</h2>")[1].split("<details>")[0])
    assert lines == [("Split", "temporal &lt;cut&gt;: one for all"), ("Seen", "removed")]


def test_every_figure_of_every_model_is_on_the_page(write):
    page = write(baselines=("popularity", "random"))
    text = page.read_text(encoding="utf-8")
    for model in ("two-tower", "popularity", "random"):
        assert len(re.findall(rf'<tr><th scope="row">{model}</th><td>[a-z]+@10</td>', text)) == 5


@pytest.mark.slow
@pytest.mark.parametrize("ks", [(10,), (5, 20), (1, 3), (10, 25)])
def test_lists_of_any_length_can_be_reported(write, ks):
    page = write(ks=ks).read_text(encoding="utf-8")
    assert f">RECALL@{max(ks)}</abbr></th>" in page


def test_the_index_is_drawn_where_one_was_measured(write):
    page = write().read_text(encoding="utf-8")
    assert "the index: speed by recall" in page.lower()
    assert "it is &lt;fast&gt;" in page
    assert "speed by recall" not in write(has_curve=False).read_text(encoding="utf-8").lower()


def test_the_health_of_the_embeddings_is_told_and_a_fault_looks_bad(write):
    page = write(health="collapsed: all <alike>").read_text(encoding="utf-8")
    assert '<p class="verdict bad">collapsed: all &lt;alike&gt;</p>' in page
    assert "<dt>Hubness</dt><dd>&lt;low&gt;</dd>" in page and "<svg id='map'>" in page
    assert "<figcaption>a &lt;map&gt;</figcaption>" in page


def test_segments_have_a_table_each_of_the_figures_that_are_shown(write):
    cell = {"value": 0.25, "low": 0.2, "high": 0.3, "n_users": 1234}
    rows = [
        {"segment": "cold <items>", "model": model, "metric": metric} | cell
        for model in ("two-tower", "content-knn")
        for metric in ("recall@10", "recall@3")
    ]
    page = write(fields={"segments": rows}).read_text(encoding="utf-8")
    table = page.split("<caption>cold &lt;items&gt;, 1234 users</caption>")[1].split("</table>")[0]
    assert table.count("<tr") == 3 and "RECALL@10" in table and "RECALL@3" not in table


def test_parts_of_users_are_drawn_for_the_model_and_the_strongest_rule(write):
    cell = {"low": 0.2, "high": 0.3, "n_users": 40, "metric": "ndcg@10"}
    rows = [
        {"segment": f"activity: {part}", "model": model, "value": 0.25} | cell
        for part in ("few", "many")
        for model in ("two-tower", "popularity", "random")
    ]
    page = write(fields={"groups": rows}).read_text(encoding="utf-8")
    assert ">activity: few<" in page and "<caption>activity: many, 40 users</caption>" in page
    parts = page.split("The figures of each part")[1].split("</details>")[0]
    assert "popularity" in parts and "random" not in parts


def test_what_else_was_judged_has_a_table_of_its_own(write, scores):
    other = scores(scope="all", baselines=("own-history",))
    page = write(other=other).read_text(encoding="utf-8")
    assert page.count("<h3>The same test: all items, repeats included</h3>") == 1
    assert page.index("own-history") > page.index("The same test")
    assert "repeats included" not in write().read_text(encoding="utf-8")


def test_each_source_stands_with_its_weight_its_share_and_what_it_adds(write):
    row = {"name": "item-knn", "weight": 0.3, "share": 0.1234, "alone": 0.0567, "adds": -0.0089}
    page = write(fields={"sources": [row]}).read_text(encoding="utf-8")
    cells = page.split("Where the lists come from")[1].split("</table>")[0]
    for text in ("item-knn", "<td>0.3</td>", "12.3 %", "0.0567", "-0.0089"):
        assert text in cells
    assert "Where the lists come from" not in write().read_text(encoding="utf-8")


def test_a_losing_model_is_never_in_the_good_colour(write):
    row = re.compile(r'<tr class="(model[^"]*)">')
    assert set(row.findall(write(chance=0.4).read_text(encoding="utf-8"))) == {"model leads"}
    assert set(row.findall(write(chance=0.02).read_text(encoding="utf-8"))) == {"model bad"}


def test_users_and_items_stand_with_titles_and_what_was_taken_is_marked(write):
    user = UserExample(user="<u>", history=["tea <pot>"], taken=["cup"], listed=[("cup", True), ("rug", False)])
    page = write(fields={"users": [user], "items": [ItemExample(item="pot", similar=["cup", "lid <x>"])]}).read_text("utf-8")
    assert "User &lt;u&gt;" in page and "<li>tea &lt;pot&gt;</li>" in page
    assert '<li class="taken">cup ✓ taken</li><li>rug</li>' in page
    assert "cup · lid &lt;x&gt;" in page


def test_all_figures_can_be_taken_away_as_csv(write, scores):
    segment = {"segment": "cold", "model": "m", "metric": "ndcg@10", "value": 0.5, "low": 0.4, "high": 0.6, "n_users": 3}
    page = write(other=scores(scope="all"), fields={"segments": [segment]}).read_text(encoding="utf-8")
    address = re.search(r'href="data:text/csv;charset=utf-8;base64,([^"]+)"', page)
    rows = list(csv.DictReader(io.StringIO(base64.b64decode(address[1]).decode())))
    assert {row["part"] for row in rows} == {"new items", "all items, repeats included", "cold"}
    assert rows[-1] == {name: str(value) for name, value in segment.items() if name != "segment"} | {"part": "cold"}


def test_words_settings_version_and_date_are_there(write):
    page = write().read_text(encoding="utf-8")
    assert all(f"<dt>{name.upper()}</dt>" in page for name in GLOSSARY)
    assert "<dt>dim</dt><dd>64</dd>" in page and "<dd>&lt;b&gt;</dd>" in page
    assert "Made 2026-11-28 by version 1.2.3" in page and "<dt>Events</dt><dd>&lt;many&gt;</dd>" in page
