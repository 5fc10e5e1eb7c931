"""Settings as described fields: a default, limits and one sentence each, written once and read by everything that asks.

A class of settings is a frozen dataclass whose fields are made by `knob`. The Python door, the tables of a profile and the
generated reference all read the same fields.
"""

import dataclasses
import difflib
import math
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from recsys.core.errors import ConfigError

S = TypeVar("S")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a number must keep to; None where there is no limit.

    Attributes:
        at_least: The lowest value.
        above: A value that is too low.
        at_most: The highest value.
        below: A value that is too high.
    """

    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None

    def allow(self, value: float) -> bool:
        """Whether a number keeps to them; NaN and infinity never do."""
        return (
            math.isfinite(value)
            and (self.at_least is None or value >= self.at_least)
            and (self.above is None or value > self.above)
            and (self.at_most is None or value <= self.at_most)
            and (self.below is None or value < self.below)
        )

    def in_words(self) -> str:
        """Such as `at least 0 and less than 1`; nothing where nothing is limited."""
        named = (
            ("at least", self.at_least),
            ("greater than", self.above),
            ("at most", self.at_most),
            ("less than", self.below),
        )
        return " and ".join(f"{word} {limit:,}" for word, limit in named if limit is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Knob:
    """One setting.

    Attributes:
        name: Its key.
        kind: Its type.
        default: What holds if nothing is said.
        text: What it does, with its unit.
        limits: Of a number, or of each number of a list.
    """

    name: str
    kind: Any
    default: Any
    text: str
    limits: Limits

    def rule(self) -> str:
        """What a value must be, in words."""
        return _rule(self.kind, self.limits)

    def check(self, value: object) -> object:
        """The value as the settings hold it: lists become tuples, whole numbers become floats where floats are wanted.

        Raises:
            ValueError: It breaks the rule.
        """
        return _check(self.kind, self.limits, value)


def knob(
    default: Any,
    text: str,
    *,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
) -> Any:
    """A field of a class of settings.

    Args:
        default: What holds if nothing is said.
        text: What it does, with its unit.
        at_least: The lowest value.
        above: A value that is too low.
        at_most: The highest value.
        below: A value that is too high.
    """
    limits = Limits(at_least=at_least, above=above, at_most=at_most, below=below)
    return field(default=default, metadata={"text": text, "limits": limits})


def knobs_of(*classes: type) -> dict[str, Knob]:
    """The settings of some classes together, by name; one that several classes have must be the same in all of them.

    Raises:
        TypeError: Two classes give one name different meanings.
    """
    found: dict[str, Knob] = {}
    for settings in classes:
        hints = get_type_hints(settings)
        for each in dataclasses.fields(settings):
            new = Knob(name=each.name, kind=hints[each.name], default=each.default, **each.metadata)
            if found.setdefault(each.name, new) != new:
                raise TypeError(f"the setting {each.name} must be the same wherever it is, got two kinds of it")
    return found


def check_values(values: Mapping[str, object], knobs: Mapping[str, Knob], *, where: str) -> dict[str, Any]:
    """Check what was given; what was not given is not in the answer.

    Args:
        values: By name.
        knobs: Those that are known.
        where: What stands before each name in a message, such as `train.`.

    Raises:
        ConfigError: A name is unknown or a value breaks its rule; all faults are in the one message.
    """
    checked, faults = dict[str, Any](), list[str]()
    for name, value in values.items():
        known = knobs.get(name)
        if known is None:
            faults.append(unknown_key(where, name, knobs))
            continue
        try:
            checked[name] = known.check(value)
        except ValueError:
            faults.append(f"{where}{name} must be {known.rule()}, got {value!r}")
    if faults:
        raise ConfigError("; ".join(faults))
    return checked


def unknown_key(where: str, name: str, known: Iterable[str]) -> str:
    """What is said of a key that there is none of, with the nearest one that there is."""
    near = difflib.get_close_matches(name, list(known), n=1)
    meant = f"; the nearest is {where}{near[0]}" if near else ""
    return f"{where}{name} must be a known key, got an unknown one{meant}"


def take(settings: type[S], values: Mapping[str, Any]) -> S:
    """Fill one class from checked values of several; what it does not know is passed over."""
    own = {each.name for each in dataclasses.fields(settings)}  # type: ignore[arg-type]
    return settings(**{name: value for name, value in values.items() if name in own})


def _rule(kind: Any, limits: Limits) -> str:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        quoted = [repr(value) for value in arguments]
        return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
    if origin in (types.UnionType, Union):
        return " or ".join(_rule(each, limits) for each in arguments if each is not type(None)) + ", or left out"
    if origin is tuple:
        return f"a list of at least 1 item, each {_rule(arguments[0], limits)} and all different"
    name = {bool: "true or false", int: "an integer", float: "a finite number", str: "text"}[kind]
    return f"{name} {words}" if (words := limits.in_words()) else name


def _check(kind: Any, limits: Limits, value: Any) -> object:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (types.UnionType, Union):
        return None if value is None else _check(next(each for each in arguments if each is not type(None)), limits, value)
    if origin is Literal:
        _require(isinstance(value, str) and value in arguments)
        return value
    if origin is tuple:
        _require(isinstance(value, Sequence) and not isinstance(value, str) and len(value) > 0)
        checked = tuple(_check(arguments[0], limits, each) for each in value)
        _require(len(set(checked)) == len(checked))
        return checked
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    _require(type(value) is kind and (kind in (bool, str) or limits.allow(value)))
    return value


def _require(holds: bool) -> None:
    if not holds:
        raise ValueError
