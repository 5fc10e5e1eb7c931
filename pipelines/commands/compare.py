"""Commands that hold lists against each other, whoever made them: compare, off-policy."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.options import AsJson, Length, console, print_json, print_table
from recsys.core.errors import ArtefactError, SchemaError

On = Annotated[
    Path | None, typer.Option("--on", help="The run whose test both are judged on; the first run named if left out.")
]


def compare(
    first: Annotated[Path, typer.Argument(help="A run folder, a published set, or a table: user_id, item_id, rank or score.")],
    second: Annotated[Path, typer.Argument(help="The newer one.")],
    on: On = None,
    k: Length = 10,
    as_json: AsJson = False,
) -> None:
    """What changed between two sets of lists, also of other systems, and which of them the test of a run prefers."""
    import polars as pl

    from recsys.candidates.lists import read_lists
    from recsys.evaluation.list_comparison import compare_lists
    from recsys.evaluation.model_comparison import compare_on_test, read_test
    from recsys.serving.audit import find_candidates, find_counts

    old, new = (read_lists(find_candidates(path)) for path in (first, second))
    changed = asdict(compare_lists(old.lazy(), new.lazy(), k=k, counts=find_counts(first)))
    run = on or next((path for path in (first, second) if _has_test(path)), None)
    tests = {_test_of(path) for path in (first, second) if _has_test(path)}
    if on is None and len(tests) > 1:
        run = None
    if on is not None and not _has_test(on):
        raise ArtefactError(f"{on} must be a run folder with split and retrieve done, got none; name artifacts/<profile>")
    judged = []
    if run is not None:
        relevant, catalogue = read_test(run)
        judged = compare_on_test(old, new, relevant, catalogue, ks=[k])
    if as_json:
        figures = [asdict(each) | {"says": each.in_words} for each in judged]
        print_json(changed | {"on": None if run is None else str(run), "figures": figures})
        return
    for name, value in changed.items():
        cells = value if isinstance(value, tuple) else (value,)
        text = " → ".join(f"{cell:,.4f}" if isinstance(cell, float) else f"{cell:,}" for cell in cells)
        console.print(f"{name.replace('_', ' '):<22}{text}", markup=False)
    if run is None:
        why = (
            "the two runs have different tests, which the other may have learned from" if len(tests) > 1 else "no run is named"
        )
        console.print(f"no figures: {why}; name the run whose test both are judged on with --on", style="dim")
        return
    rows = [
        {
            "figure": each.metric,
            "first": each.first,
            "second": each.second,
            "difference": f"{each.difference.value:+.4f} ({each.difference.low:+.4f} to {each.difference.high:+.4f})",
            "": each.in_words,
        }
        for each in judged
    ]
    print_table(pl.DataFrame(rows), title=f"on the test of {run}, {judged[0].n_users:,} users with a list in both")


def off_policy(
    log: Annotated[Path, typer.Argument(help="What was shown by chance: user_id, item_id, reward, propensity.")],
    lists: Annotated[Path, typer.Argument(help="A run folder, a published set, or a table: user_id, item_id, rank or score.")],
    k: Length = 10,
    as_json: AsJson = False,
) -> None:
    """What lists would have earned, had one of their first k items been shown in place of what the log showed."""
    import polars as pl

    from recsys.candidates.lists import read_lists
    from recsys.core.columns import ITEM_ID, USER_ID
    from recsys.data.files import as_id
    from recsys.data.scan import TextFormat, collect_source, scan_table
    from recsys.evaluation.off_policy import PROPENSITY, REWARD, evaluate_lists
    from recsys.serving.audit import find_candidates

    scan = scan_table(str(log), TextFormat(), name=str(log))
    schema = scan.collect_schema()
    for column in (USER_ID, ITEM_ID, REWARD, PROPENSITY):
        if column not in schema:
            raise SchemaError(f"{log}: column '{column}' must be present, got {', '.join(schema)}; rename the columns")
    numbers = (pl.col(column).cast(pl.Float64, strict=False) for column in (REWARD, PROPENSITY))
    events = collect_source(
        scan.select(as_id(USER_ID, schema[USER_ID]), as_id(ITEM_ID, schema[ITEM_ID]), *numbers), name=str(log)
    )
    found = evaluate_lists(events, read_lists(find_candidates(lists)), k=k)
    if as_json:
        print_json(asdict(found))
        return
    named = {"the log": found.logged, "IPS": found.ips, "SNIPS": found.snips, "doubly robust": found.doubly_robust}
    rows = [
        {"reward of one item": name, "value": each.value, "low": each.low, "high": each.high} for name, each in named.items()
    ]
    print_table(
        pl.DataFrame(rows), title=f"lists of {k} on {found.n_events:,} events, {found.n_matched:,} of them in the lists"
    )
    console.print(f"these say as much as {found.effective_size:,.0f} events of equal weight", markup=False)


def _test_of(run: Path) -> str:
    """The hash of what is held out."""
    from recsys.core.files import MANIFEST, read_json

    return str(read_json(run / "split" / MANIFEST)["outputs"]["test.parquet"])


def _has_test(path: Path) -> bool:
    return (path / "split" / "manifest.json").is_file() and (path / "retrieve" / "manifest.json").is_file()


COMMANDS: dict[str, Callable[..., None]] = {"compare": compare, "off-policy": off_policy}
