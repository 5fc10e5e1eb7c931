"""The command `recsys new`: a commented profile, guessed from the user's own file."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.commands.options import AsJson, console, print_json
from recsys.core.errors import ConfigError, SchemaError, SourceError
from recsys.core.files import write_atomically

_ROWS = 20_000
_SEPARATORS = (",", "\t", ";", "|", "::")


def new(
    profile: Annotated[Path, typer.Argument(help="The profile to write, such as my-shop.toml.")],
    log: Annotated[Path, typer.Option("--log", help="The interactions: a CSV or Parquet file.")],
    items: Annotated[Path | None, typer.Option(help="A table of items.")] = None,
    users: Annotated[Path | None, typer.Option(help="A table of users.")] = None,
    as_json: AsJson = False,
) -> None:
    """Look at a file and write a profile for it: columns, separator, times and attributes are guessed, and said."""
    if profile.exists():
        raise ConfigError(f"new: {profile} must not be there yet, got a file; name another or remove it")
    if profile.suffix != ".toml":
        raise ConfigError(f"new: a profile must end in .toml, got {profile}; rename it")
    for name, table in (("--log", log), ("--items", items), ("--users", users)):
        if table is not None and not table.is_file():
            raise ConfigError(f"new: {name} must name a file, got {table}; correct it")
    guessed = guess(log, items, users)
    with write_atomically(profile) as partial:
        partial.write_text(write_profile(profile, log, items, users, guessed), encoding="utf-8")
    if as_json:
        print_json({"profile": str(profile), "guessed": guessed})
        return
    console.print(f"guessed from {log}:", markup=False, soft_wrap=True)
    for name, value in guessed.items():
        console.print(f"  {name:<20} {value}", markup=False, soft_wrap=True)
    command = f"recsys run {shlex.quote(str(profile))}"
    console.print(f"written to {profile}; look it over, then: {command}", markup=False, soft_wrap=True)


def guess(log: Path, items: Path | None, users: Path | None) -> dict[str, Any]:
    """What `[ingest]` should say, in the order of the profile.

    Args:
        log: The interactions.
        items: A table of items.
        users: A table of users.

    Raises:
        SchemaError: No column looks like a user or an item, or times cannot be told.
        SourceError: A file cannot be read.
    """
    from recsys.core.columns import ITEM_ID, TIMESTAMP, USER_ID
    from recsys.data.guesses import guess_columns

    separator = guess_separator(log)
    table = read_head(log, separator)
    if table.is_empty():
        raise SchemaError(f"new: {log} must have at least one row below its header, got none; export it again")
    columns = guess_columns(table.columns)
    missing = [name for name in (USER_ID, ITEM_ID, TIMESTAMP) if name not in columns]
    if missing:
        raise SchemaError(
            f"new: {log} must have columns that look like user, item and time, got {', '.join(table.columns)} and no "
            f"{missing[0]}; rename the column, or write the profile by hand (docs/tutorial.md)"
        )
    found: dict[str, Any] = {"columns": columns}
    if separator not in (",", "\t" if ".tsv" in log.name else ","):
        found["separator"] = separator
    found |= _guess_time(log, table, separator, columns[TIMESTAMP])
    cuts: dict[str, str] = {}
    for side, path, key in (("item", items, ITEM_ID), ("user", users, USER_ID)):
        if path is not None:
            attributes, own_cuts = _guess_side(path, log, columns[key], separator, key)
            kinds = {"text": attributes.text, "categories": attributes.categories, "numbers": attributes.numbers}
            kinds = kinds if side == "item" else {name: kinds[name] for name in ("categories", "numbers")}
            found |= {f"{side}_{kind}": list(names) for kind, names in kinds.items() if names}
            cuts |= own_cuts
    if len(set(cuts.values())) > 1:
        shown = ", ".join(f"{own!r} in '{name}'" for name, own in cuts.items())
        raise SchemaError(f"new: several categories in a cell must be separated by one character, got {shown}; replace one")
    if between := set(cuts.values()) - {"|"}:
        found["category_separator"] = between.pop()
    return found


def _guess_time(log: Path, table: Any, separator: str, column: str) -> dict[str, str]:
    """Format or unit of times; nothing for seconds since 1970 and for what is a time already."""
    from recsys.data.guesses import guess_time

    time, first = guess_time(table[column]), table[column].drop_nulls().head(1).to_list()
    if time is not None and time.is_ambiguous:
        time = guess_time(read_values(log, separator, column))
    if time is None:
        raise SchemaError(f"new: column '{column}' must hold times, got {first}; convert it to ISO times first")
    if time.is_ambiguous:
        raise SchemaError(
            f"new: column '{column}' must hold dates that can be read in one way, got only such as '{first[0]}', day first or "
            "month first; convert them to ISO dates first"
        )
    if time.text_format is not None:
        return {"timestamp_format": time.text_format}
    return {} if time.unit == "s" else {"timestamp_unit": time.unit}


def _guess_side(path: Path, log: Path, wanted: str, separator: str, key: str) -> tuple[Any, dict[str, str]]:
    """Attributes of items or users, and what separates categories in a cell; one profile reads the side as it reads the log."""
    from recsys.data.guesses import guess_attributes, guess_columns

    own_separator = guess_separator(path)
    if own_separator != separator and not (is_parquet(path) or is_parquet(log)):
        raise SchemaError(
            f"new: {log} and {path} must separate columns by one character, got {separator!r} and {own_separator!r}; export "
            "one of them again"
        )
    head = read_head(path, own_separator)
    own = wanted if wanted in head.columns else guess_columns(head.columns).get(key)
    if own is None:
        raise SchemaError(f"new: {path} must have the id column '{wanted}', got {', '.join(head.columns)}; rename it")
    if own != wanted:
        raise SchemaError(f"new: the id must have one name in {log} and {path}, got '{wanted}' and '{own}'; rename one")
    return guess_attributes(head, own)


def is_parquet(path: Path) -> bool:
    """Whether a file is Parquet, by its name."""
    return path.suffix in (".parquet", ".pq")


def guess_separator(path: Path) -> str:
    """What cuts the first lines into the most columns, as many in each line; a comma for Parquet."""
    if is_parquet(path):
        return ","
    lines = [str(line) for line in _lines(path)]
    best = max(_SEPARATORS, key=lambda separator: min(line.count(separator) for line in lines[:20]) if lines else 0)
    return best if any(best in line for line in lines) else ","


def read_head(path: Path, separator: str) -> Any:
    """The first rows of a table."""
    from recsys.data.scan import TextFormat, collect_source, scan_table

    return collect_source(scan_table(str(path), TextFormat(separator=separator), name=str(path)).head(_ROWS), name=str(path))


def read_values(path: Path, separator: str, column: str) -> Any:
    """The distinct values of a column of the whole table."""
    from recsys.data.scan import TextFormat, collect_source, scan_table

    scanned = scan_table(str(path), TextFormat(separator=separator), name=str(path))
    return collect_source(scanned.select(column).unique(), name=str(path))[column]


def _lines(path: Path) -> list[object]:
    from recsys.data.scan import TextFormat, collect_source, scan_table

    text = TextFormat(separator="\x02", header=["line"])
    try:
        return list(collect_source(scan_table(str(path), text, name=str(path)).head(50), name=str(path))["line"].drop_nulls())
    except SourceError:
        if not path.stat().st_size:
            raise
        raise ConfigError(
            f"new: {path} must be CSV, as it is or compressed, or Parquet, got something else; export spreadsheets as CSV"
        ) from None


def write_profile(profile: Path, log: Path, items: Path | None, users: Path | None, guessed: dict[str, Any]) -> str:
    """The profile as text."""
    name = re.sub(r"[^a-z0-9._-]+", "-", profile.stem.lower()).strip("-._") or "my-shop"
    lines = [
        "# A profile; relative paths are read from its folder. Every setting: docs/configuration.md.",
        f'name = "{name}"',
        "",
        "[ingest]",
        'source = "files"',
        f"interactions = {_quote(_relative(log, profile))}",
    ]
    lines += [f"{side} = {_quote(_relative(path, profile))}" for side, path in (("items", items), ("users", users)) if path]
    renamed = {ours: theirs for ours, theirs in guessed["columns"].items() if ours != theirs}
    told = guessed | {"columns": renamed} if renamed else {key: own for key, own in guessed.items() if key != "columns"}
    lines += [f"{key} = {_as_toml(value)}" for key, value in told.items()]
    lines += [
        'ties = "auto"                               # rows of one time are a set, unless their order means something',
        "",
        "[split]",
        'protocol = "temporal"                       # one cut for all users; leave_last_out: each user\'s last event',
        "",
        "[retrieve]",
        "k = 100                                     # candidates of each user",
        '# deny = "recalled.txt"                     # item ids that are never recommended',
        "",
        "[train]",
        "# n_epochs = 10                             # training stops early by itself",
        "# far_share = 1.0                           # for lists that are to hold for weeks, with popularity_exponent = 1.0",
    ]
    return "\n".join(lines) + "\n"


def _relative(path: Path, profile: Path) -> str:
    try:
        return path.resolve().relative_to(profile.resolve().parent).as_posix()
    except ValueError:
        return path.resolve().as_posix()


def _as_toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_quote(own)}" for key, own in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_quote(own) for own in value) + "]"
    return _quote(str(value))


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    return f'"{escaped}"'


COMMANDS: dict[str, Callable[..., None]] = {"new": new}
