from dataclasses import dataclass
from typing import Literal

import pytest

from recsys.core.errors import ConfigError
from recsys.core.knobs import check_values, knob, knobs_of, take


@dataclass(frozen=True, slots=True, kw_only=True)
class Some:
    share: float = knob(0.5, "A share.", above=0, below=1)
    kind: Literal["a", "b"] = knob("a", "A kind.")
    size: int | None = knob(None, "A size.", at_least=2)
    is_on: bool = knob(True, "A switch.")
    names: tuple[Literal["x", "y"], ...] = knob(("x",), "Names.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    share: float = knob(0.5, "A share.", above=0, below=1)


KNOBS = knobs_of(Some, Other)


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [("share", 0.25, 0.25), ("size", 2, 2), ("size", None, None), ("is_on", False, False), ("names", ["y", "x"], ("y", "x"))],
)
def test_a_good_value_is_kept(name: str, value: object, kept: object) -> None:
    assert check_values({name: value}, KNOBS, where="") == {name: kept}


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("share", 1.0, "a finite number greater than 0 and less than 1, got 1.0"),
        ("share", 1, "a finite number greater than 0 and less than 1, got 1"),
        ("share", float("nan"), "a finite number"),
        ("share", True, "a finite number"),
        ("kind", "c", "'a' or 'b', got 'c'"),
        ("size", 1, "an integer at least 2, or left out, got 1"),
        ("size", 2.0, "an integer"),
        ("is_on", 1, "true or false, got 1"),
        ("names", "x", "a list of at least 1 item"),
        ("names", ["x", "x"], "all different"),
    ],
)
def test_a_bad_value_is_told_with_its_rule(name: str, value: object, rule: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_values({name: value}, KNOBS, where="table.")
    assert f"table.{name} must be {rule}" in str(caught.value) or rule in str(caught.value)


def test_all_faults_are_told_at_once_and_an_unknown_key_with_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match=r"t.shre must be a known key, .* nearest is t.share; t.is_on must be true or false"):
        check_values({"shre": 1, "is_on": "yes"}, KNOBS, where="t.")


def test_a_class_takes_what_it_knows() -> None:
    assert take(Other, {"share": 0.1, "kind": "b"}) == Other(share=0.1)


def test_one_name_has_one_meaning() -> None:
    @dataclass(frozen=True)
    class Different:
        share: float = knob(0.6, "A share.", above=0, below=1)

    with pytest.raises(TypeError, match="the setting share must be the same wherever it is"):
        knobs_of(Some, Different)
