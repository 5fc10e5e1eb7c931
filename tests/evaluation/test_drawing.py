import xml.etree.ElementTree as ElementTree

from recsys.evaluation.drawing import as_svg, chart


def _drawn(rows):
    return as_svg(chart(rows).mark_bar().encode(x="x:Q", y="y:N"), title="a <title>", height=40)


def test_a_drawing_is_the_same_text_each_time_and_as_wide_as_the_page():
    rows = [{"x": 1, "y": "<b>"}]
    root = ElementTree.fromstring(_drawn(rows))
    assert "viewBox" in root.attrib and not {"width", "height"} & set(root.attrib)
    assert _drawn(rows) == _drawn(rows)


def test_its_colours_are_those_of_the_page():
    assert 'fill="var(--ink)"' in _drawn([{"x": 1, "y": "a"}])
