"""Is a run, or a published set, what it says it is? Every hash along the chain, and a sample of lists by exact search."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from recsys.candidates.candidate_search import open_search, read_plan
from recsys.candidates.facts import RetrieveFacts
from recsys.candidates.sets import changed_files
from recsys.core.columns import COUNT, ITEM_ID, SCORE, USER_ID
from recsys.core.errors import ArtefactError
from recsys.core.facts import read_facts
from recsys.core.files import MANIFEST, read_array, read_json, sha256_of
from recsys.core.random import rng_for
from recsys.data.facts import IngestFacts
from recsys.data.vocabulary import read_vocabulary
from recsys.index.facts import read_index_facts

_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What.
        is_good: Whether it holds.
        text: What was found.
    """

    name: str
    is_good: bool
    text: str


def verify(folder: Path, *, stages: Sequence[str], n_users: int = 200) -> list[Check]:
    """Check a run folder, `artifacts/<profile>`, or a published set inside it.

    Args:
        folder: The folder.
        stages: The stages of a run, in order.
        n_users: Lists to recompute by exact search.

    Raises:
        ArtefactError: It is neither.
    """
    if (folder / "set.json").is_file():
        return _verify_set(folder.resolve())
    if not any((folder / stage / MANIFEST).is_file() for stage in stages):
        raise ArtefactError(f"{folder} must be a run folder or a published set, got neither; name artifacts/<profile>")
    checks = _verify_sources(folder) + [check for stage in stages for check in _verify_stage(folder, stage)]
    if all((folder / stage / MANIFEST).is_file() for stage in ("pairs", "embed", "index", "retrieve")):
        checks.append(_verify_lists(folder, n_users))
    return checks


def find_candidates(source: Path) -> Path:
    """The candidate table of a run folder, a published set, or the table itself.

    Raises:
        ArtefactError: There is none.
    """
    for path in (source, source / "retrieve" / "candidates.parquet", source / "candidates.parquet"):
        if path.is_file():
            return path
    raise ArtefactError(f"{source} must be a run folder, a published set or a table of candidates, got none of them")


def find_counts(source: Path) -> pl.DataFrame | None:
    """item_id and count, the train events of each item, of the run that a table of candidates belongs to; None if unknown."""
    for run in (source, source.resolve().parent.parent):
        counts = run / "pairs" / "item_count.npy"
        if counts.is_file():
            items = read_vocabulary(run / "pairs" / "items.parquet", id_column=ITEM_ID)
            return pl.DataFrame({ITEM_ID: items.ids, COUNT: np.array(read_array(counts), np.int64)})
    return None


def _verify_stage(folder: Path, stage: str) -> list[Check]:
    path = folder / stage / MANIFEST
    if not path.is_file():
        return [Check(name=stage, is_good=False, text="has not run")]
    manifest = read_json(path)
    wrong = [
        name
        for name, sha in manifest["outputs"].items()
        if not (folder / stage / name).is_file() or sha256_of(folder / stage / name) != sha
    ]
    stale = [
        name
        for name, sha in manifest["inputs"].items()
        if not (folder / name / MANIFEST).is_file() or sha256_of(folder / name / MANIFEST) != sha
    ]
    text = f"{len(manifest['outputs'])} files and {len(manifest['inputs'])} inputs are those of its manifest"
    if wrong:
        text = f"{', '.join(wrong)} must be what the manifest says, got another file or none"
    elif stale:
        text = f"was made from another {', '.join(stale)} than is there now; run make again"
    return [Check(name=stage, is_good=not wrong and not stale, text=text)]


def _verify_sources(folder: Path) -> list[Check]:
    """The raw files that were read, where they still are."""
    has_run = (folder / "ingest" / MANIFEST).is_file()
    files = read_facts(folder / "ingest", IngestFacts).source_files if has_run else {}
    there = {name: sha for name, sha in files.items() if Path(name).is_file()}
    wrong = [name for name, sha in there.items() if sha256_of(Path(name)) != sha]
    text = f"{len(there)} of {len(files)} raw files are there, as they were read"
    if wrong:
        text = f"{', '.join(wrong)} must be as it was read, got another file; run make again"
    return [Check(name="raw", is_good=not wrong, text=text)]


def _verify_set(folder: Path) -> list[Check]:
    about = read_json(folder / "set.json")
    wrong = changed_files(folder)
    text = f"{len(about['files'])} files are those that were published"
    checks = [Check(name="files", is_good=not wrong, text=f"{', '.join(wrong)}: not what was published" if wrong else text)]
    run = folder.parent.parent
    for stage, sha in about["inputs"].items():
        path = run / stage / MANIFEST
        is_same = path.is_file() and sha256_of(path) == sha
        text = "the run still holds what this set was made from" if is_same else "the run holds something newer or nothing"
        checks.append(Check(name=f"from {stage}", is_good=True, text=text))
    return checks


def _verify_lists(folder: Path, n_users: int) -> Check:
    """Lists of some users must hold what exact search finds, up to the recall of the index."""
    users = read_vocabulary(folder / "pairs" / "users.parquet", id_column=USER_ID)
    added = pl.Series(read_plan(folder / "retrieve" / "search").added_ids, dtype=pl.String)
    items = pl.concat([read_vocabulary(folder / "pairs" / "items.parquet", id_column=ITEM_ID).ids, added])
    table = pl.scan_parquet(folder / "retrieve" / "candidates.parquet")
    listed = table.select(USER_ID).unique().sort(USER_ID).collect()[USER_ID]
    drawn = rng_for(0, "verify").choice(len(listed), min(n_users, len(listed)), replace=False)
    chosen = listed.gather(np.sort(drawn))
    rows = table.filter(pl.col(USER_ID).is_in(chosen.implode())).collect().partition_by(USER_ID, as_dict=True)
    folders = {stage: folder / stage for stage in ("pairs", "embed", "index")}
    search = open_search(plan=folder / "retrieve" / "search", is_exact=True, **folders)
    user_idx = np.array([users.ids.search_sorted(user) for user in chosen], np.int64)
    k = read_facts(folder / "retrieve", RetrieveFacts).k
    exact = search.answer(user_idx, k=k).lists
    n_found = n_wanted = 0
    for row, user in enumerate(chosen):
        wanted = exact.item_idx[row][exact.item_idx[row] >= 0]
        last = exact.score[row][: len(wanted)].min(initial=np.inf)
        held = rows[(user,)]
        as_good = held.filter(pl.col(ITEM_ID).is_in(items.gather(wanted).implode()) | (pl.col(SCORE) >= last - 1e-6))
        n_found, n_wanted = n_found + min(as_good.height, len(wanted)), n_wanted + len(wanted)
    recall = n_found / max(n_wanted, 1)
    least = read_index_facts(folder / "index").recall - _slack(n_wanted)
    return Check(
        name="lists",
        is_good=recall >= least,
        text=f"{len(chosen)} lists hold {recall:.2%} of what exact search finds (at least {least:.2%} is asked for)",
    )


def _slack(n: int) -> float:
    """Three standard errors of a share near 0.99, and rounding."""
    return 3 * float(np.sqrt(0.01 / max(n, 1))) + _TOLERANCE
