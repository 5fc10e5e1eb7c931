"""`docs/configuration.md`: every setting of a profile, made from the settings themselves by `make reference`."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from pipelines.settings.profile import Profile
from recsys.core.knobs import Knob, knobs_of
from recsys.models.encoders.choice import ENCODERS
from recsys.training.settings import PRETRAIN_KNOBS, TRAIN_KNOBS

PAGE = Path(__file__).parent.parent.parent / "docs" / "configuration.md"
_HEAD = """# Configuration

A profile is one TOML file, with one table a stage; relative paths are read from its folder. An unknown key, a wrong type or a
value out of range stops before any work. Every key but `name` and `[ingest] source` can be left out.
`recsys new my-shop.toml --log sales.csv` writes a first one. The settings of `[train]` and `[pairs]` are those of
`Recommender(...)` too.

This page is made from the settings by `make reference`; do not edit it.
"""
_KNOBS: Mapping[str, tuple[str, Mapping[str, Knob]]] = {
    "pretrain": ("Training without labels before `[train]`: views of histories and of items, and texts.", PRETRAIN_KNOBS),
    "train": ("The shape of the towers, and how they are trained.", TRAIN_KNOBS),
}


def write_reference() -> str:
    """The page as Markdown."""
    parts = [_HEAD, "## name\n\nOf the profile and of its run folder: small letters, digits, `.`, `_` and `-`.\n"]
    for name, field in Profile.model_fields.items():
        table = field.alias or name
        if table == "name":
            continue
        if table in _KNOBS:
            about, knobs = _KNOBS[table]
            rows = list(_knob_rows(knobs))
        else:
            kind = field.annotation
            if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
                raise TypeError(f"the table {table} must be a class of settings, got {kind}")
            about, rows = (kind.__doc__ or "").strip(), list(_field_rows(kind))
        lines = [f"| `{key}` | {rule} | {default} | {text} |" for key, rule, default, text in rows]
        parts.append(
            "\n".join([f"## [{table}]\n\n{about}\n", "| key | value | default | |", "| --- | --- | --- | --- |", *lines, ""])
        )
    return "\n".join(parts)


def _knob_rows(knobs: Mapping[str, Knob]) -> Iterator[tuple[str, str, str, str]]:
    readers: dict[str, list[str]] = {}
    for encoder, settings in ENCODERS.items():
        for name in knobs_of(settings):
            readers.setdefault(name, []).append(encoder)
    for name, knob in knobs.items():
        own = readers.get(name, [])
        only = f" Read by {', '.join(own)}." if own and len(own) < len(ENCODERS) else ""
        yield name, _plain(knob.rule()), _show(knob.default), _plain(knob.text + only)


def _field_rows(table: type[BaseModel]) -> Iterator[tuple[str, str, str, str]]:
    for name, field in table.model_fields.items():
        limits = [_limit(each) for each in field.metadata]
        rule = " ".join([_kind(field.annotation), *(limit for limit in limits if limit)])
        default = "must be given" if field.is_required() else _show(field.get_default(call_default_factory=True))
        yield name, _plain(rule), default, _plain(field.description or "")


def _kind(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " · ".join(str(value) for value in arguments)
    if origin is list:
        return f"list of {_kind(arguments[0])}"
    if origin is dict:
        return f"table of {_kind(arguments[1])}"
    named = {int: "integer", float: "number", str: "text", bool: "true · false"}
    if arguments and origin is not None:
        return " or ".join(_kind(each) for each in arguments if each is not type(None) and not _is_note(each))
    return named.get(annotation, getattr(annotation, "__name__", str(annotation)).lower())


def _is_note(value: Any) -> bool:
    return not isinstance(value, type) and get_origin(value) is None


def _limit(note: Any) -> str:
    words = {"ge": "from", "gt": "above", "le": "up to", "lt": "below"}
    return " ".join(f"{word} {getattr(note, name):,}" for name, word in words.items() if getattr(note, name, None) is not None)


def _show(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        return "see below" if any(isinstance(own, BaseModel) for own in value.values()) else str(value or "none")
    if isinstance(value, list | tuple):
        return ", ".join(str(own) for own in value) or "none"
    return f"`{_plain(value)}`" if isinstance(value, str) and not value.isalnum() else str(value)


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("|", "\\|")).strip()


def main() -> None:
    """`python -m pipelines.settings.reference`."""
    PAGE.write_text(write_reference(), encoding="utf-8")


if __name__ == "__main__":
    main()
