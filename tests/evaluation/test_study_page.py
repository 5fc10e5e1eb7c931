import re

from recsys.evaluation.study_page import write_study_page

ROWS = [
    {"share": 0.01, "n_labelled": 60, "n_seeds": 3, "scratch": 0.04, "pretrained": 0.06, "lift": 0.5},
    {"share": 1.0, "n_labelled": 6040, "n_seeds": 3, "scratch": 0.2, "pretrained": 0.21, "lift": None},
]
PROBES = {"items: <genre>": {"macro": {"random": 0.5, "pretrained": 0.75, "supervised": 0.8}}}


def test_the_page_holds_every_figure_escaped_and_needs_nothing_from_outside(tmp_path):
    write_study_page(tmp_path / "study.html", name="shop", rows=ROWS, probes=PROBES, protocol=["Labels: <few>"])
    page = (tmp_path / "study.html").read_text(encoding="utf-8")
    assert "<td>1 %: 60</td><td>0.0400</td><td>0.0600</td><td>+50.0 %</td><td>3</td>" in page
    assert "<td>100 %: 6040</td><td>0.2000</td><td>0.2100</td><td>–</td>" in page
    assert "<td>items: &lt;genre&gt;</td><td>0.500</td><td>0.750</td><td>0.800</td>" in page
    assert "<dt>Labels</dt><dd>&lt;few&gt;</dd>" in page
    assert not re.search(r"<(script|link|iframe|img|object|embed)\b|@import", page)
    assert "<svg" in page and "users with training targets" in page
