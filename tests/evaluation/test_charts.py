import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from recsys.evaluation.charts import (
    draw_differences,
    draw_exposure,
    draw_index_curve,
    draw_intervals,
    draw_recall_curves,
    draw_segments,
    draw_shares,
    draw_training,
)
from recsys.evaluation.comparison import Comparison
from recsys.evaluation.intervals import Interval

pytestmark = pytest.mark.slow

_HOSTILE = "<script>alert(1)</script> & co"


def _intervals(name, **options):
    rows = [
        {"model": model, "metric": metric, "value": 0.3, "low": 0.2, "high": 0.4}
        for model in (name, "popularity")
        for metric in ("hr@10", "ndcg@10")
    ]
    return draw_intervals(rows, model=name, metric="ndcg@10", **({"is_good": True} | options))


def _differences(name):
    difference = Interval(value=0.1, low=0.05, high=0.15)
    return draw_differences(
        [Comparison(baseline=name, metric="ndcg@10", baseline_value=0.2, difference=difference, p_value=0.01)]
    )


def _curves(name):
    return draw_recall_curves({name: np.linspace(0, 0.5, 20), "popularity": np.zeros(20)}, model=name, ceiling=0.9)


def _exposure(name):
    return draw_exposure({name: np.full(10, 0.1), "popularity": np.eye(10)[9]}, model=name)


def _segments(name):
    rows = [{"segment": f"kind: {name}", "model": model, "metric": "ndcg@10", "value": 0.1} for model in ("ours", "rule")]
    return draw_segments(rows, metric="ndcg@10", model="ours", other="rule")


def _index_curve(name):
    points = [
        {"backend": name, "build": "10 trees", "effort": n, "k": 10, "recall": 1 - 1 / n, "queries_per_second": 1e3 / n}
        for n in (2, 4, 8)
    ]
    return draw_index_curve(points, target=0.8, chosen=points[-1])


_EVERY_CHART = pytest.mark.parametrize("draw", [_intervals, _differences, _curves, _exposure, _segments, _index_curve])


@_EVERY_CHART
def test_a_chart_is_one_svg_element_that_names_the_model(draw):
    root = ElementTree.fromstring(draw("two-tower"))
    assert root.tag.endswith("svg")
    assert any("two-tower" in (node.text or "") for node in root.iter())


@_EVERY_CHART
def test_a_hostile_name_stays_text(draw):
    drawn = draw(_HOSTILE)
    assert "<script" not in drawn
    assert any(_HOSTILE in (node.text or "") for node in ElementTree.fromstring(drawn).iter())


@_EVERY_CHART
def test_a_name_with_dollar_signs_is_no_formula(draw):
    drawn = ElementTree.fromstring(draw("from $5 to $9"))
    assert any("from $5 to $9" in (node.text or "") for node in drawn.iter())


@_EVERY_CHART
def test_the_same_figures_give_the_same_text(draw):
    assert draw("two-tower") == draw("two-tower")


@_EVERY_CHART
def test_a_chart_takes_the_width_of_the_page(draw):
    root = ElementTree.fromstring(draw("two-tower"))
    assert "width" not in root.attrib
    assert "viewBox" in root.attrib


def test_the_good_colour_is_for_a_model_to_be_used_alone():
    assert "var(--good)" in _intervals("two-tower") and "var(--bad)" not in _intervals("two-tower")
    assert "var(--bad)" in _intervals("two-tower", is_good=False)
    assert "var(--good)" not in _intervals("two-tower", is_good=False)


def test_lines_that_end_together_have_labels_apart():
    drawn = ElementTree.fromstring(_recall_of({f"model {number}": np.full(20, 0.5) for number in range(4)}))
    at = [
        float(re.search(r"translate\([^,]+,([^)]+)\)", node.attrib["transform"])[1])
        for node in drawn.iter()
        if (node.text or "").startswith("model ")
    ]
    assert len(at) == 4
    assert min(np.diff(sorted(at))) >= 10


def _recall_of(curves):
    return draw_recall_curves(curves, model="model 0", ceiling=0.9)


def test_the_model_and_the_strongest_others_are_drawn_and_no_more():
    drawn = _recall_of({f"model {number}": np.linspace(0, 1 / (number + 1), 20) for number in (1, 2, 3, 4, 5, 6, 0)})
    assert all(f">model {number}<" in drawn for number in (0, 1, 2, 3, 4))
    assert ">model 5<" not in drawn


def test_the_epoch_that_was_kept_is_marked_and_what_was_not_validated_has_no_curve():
    epochs = [{"epoch": n, "loss": 5.0 / n, "validation_ndcg": 0.1 * n, "is_best": n < 3} for n in (1, 2, 3)]
    assert "validation NDCG@10" in draw_training(epochs)
    alone = draw_training([row | {"validation_ndcg": None} for row in epochs])
    assert "training loss" in alone and "validation NDCG@10" not in alone


def test_a_study_is_drawn_with_both_lines():
    drawn = draw_shares([{"share": 0.01, "scratch": 0.1, "pretrained": 0.2}, {"share": 1.0, "scratch": 0.3, "pretrained": 0.3}])
    assert ">pre-trained<" in drawn and ">from scratch<" in drawn
