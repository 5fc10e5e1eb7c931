import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from recsys.evaluation.charts import (
    draw_differences,
    draw_exposure,
    draw_index_curve,
    draw_metric_bars,
    draw_recall_curves,
)
from recsys.evaluation.comparison import Comparison
from recsys.evaluation.intervals import Interval

pytestmark = pytest.mark.slow

_HOSTILE = "<script>alert(1)</script> & co"


def _bars(name):
    rows = [
        {"model": model, "metric": metric, "value": 0.3, "low": 0.2, "high": 0.4}
        for model in (name, "popularity")
        for metric in ("hr@10", "ndcg@10")
    ]
    return draw_metric_bars(rows, model=name, metrics=["hr@10", "ndcg@10", "absent@10"])


def _differences(name):
    difference = Interval(value=0.1, low=0.05, high=0.15)
    return draw_differences(
        [Comparison(baseline=name, metric="ndcg@10", baseline_value=0.2, difference=difference, p_value=0.01)]
    )


def _curves(name):
    return draw_recall_curves({name: np.linspace(0, 0.5, 20), "popularity": np.zeros(20)}, model=name, ceiling=0.9)


def _exposure(name):
    return draw_exposure({name: np.full(10, 0.1), "popularity": np.eye(10)[9]}, model=name)


def _index_curve(name):
    points = [
        {"backend": name, "build": "10 trees", "effort": n, "k": 10, "recall": 1 - 1 / n, "queries_per_second": 1e3 / n}
        for n in (2, 4, 8)
    ]
    return draw_index_curve(points, target=0.8, chosen=points[-1])


_EVERY_CHART = pytest.mark.parametrize("draw", [_bars, _differences, _curves, _exposure, _index_curve])


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


def test_a_metric_that_nobody_has_gets_no_panel():
    drawn = _bars("two-tower")
    assert "NDCG@10" in drawn
    assert "ABSENT@10" not in drawn


def test_numbers_on_a_scale_of_ratios_are_plain():
    assert "mathdefault" not in _index_curve("annoy")
    assert "mathdefault" not in _curves("two-tower")
