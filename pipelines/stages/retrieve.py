"""retrieve: candidates of all users or a given list, in parts that survive a kill, checked, and published in one step."""

import shutil
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.settings.retrieve import RetrieveSettings
from pipelines.stages.stage import Stage, StageRun
from recsys.candidates.candidate_search import SearchPlan
from recsys.candidates.executors import run_parts
from recsys.candidates.facts import RetrieveFacts
from recsys.candidates.item_rules import ItemRules, read_ids
from recsys.candidates.new_items import read_all_items
from recsys.candidates.part_worker import Job, JobKind
from recsys.candidates.parts import Parts
from recsys.candidates.plan import Asked, build_plan, read_catalogue_changes
from recsys.candidates.seen import SeenByUser, read_seen
from recsys.candidates.sets import check_link, publish_set
from recsys.candidates.table import Written, write_candidates
from recsys.core.code import hash_code
from recsys.core.columns import ITEM_ID, SIMILAR_ITEM_ID, USER_ID
from recsys.core.errors import DataError
from recsys.core.facts import as_table
from recsys.core.files import hash_folder, sha256_of, write_array
from recsys.data.vocabulary import Vocabulary, read_vocabulary
from recsys.features.facts import PairsFacts
from recsys.index.filters import n_possible
from recsys.index.nearest import Found, check_list_length
from recsys.splits.facts import SplitFacts

_PARTS = "parts"


def work(stage: StageRun[RetrieveSettings]) -> RetrieveFacts:
    """Search in parts, put the parts together, check that no list is missing, publish."""
    pairs, embed = stage.read("pairs"), stage.read("embed")
    for name in ("ingest", "index"):
        stage.read(name)
    settings = stage.settings
    check_link(stage.run / "published")
    _check_times(stage)
    now = settings.as_of()
    users = read_vocabulary(pairs / "users.parquet", id_column=USER_ID)
    items = read_vocabulary(pairs / "items.parquet", id_column=ITEM_ID)
    metadata = {f"{name}_sha256": sha256_of(embed / f"{name}.npy") for name in ("items", "users")}
    changes = read_catalogue_changes(stage.run)
    table = read_all_items(stage.run)
    plan = build_plan(_asked(settings, now), table, items=items, pairs=pairs, changes=changes)
    items = changes.extend(items)
    check_list_length(settings.k, n_items=len(items), name="retrieve")
    plan.write(stage.folder / "search")
    user_idx, n_unknown = _chosen_users(settings, users)

    began = time.perf_counter()
    job = _search(stage, plan, "users", user_idx, k=settings.k)
    repeats = _search(stage, plan, "repeats", user_idx, k=settings.k) if _wants_repeats(stage) else None
    similar_k = min(settings.similar_k, len(items) - 1)
    similar = _search(stage, plan, "items", np.arange(len(items)), k=similar_k) if similar_k else None
    searched = time.perf_counter()
    blocks = _checked(job, user_idx, read_seen(pairs, beside=plan.taken), plan, users=users, n_items=len(items))
    path = stage.folder / "candidates.parquet"
    written = write_candidates(path, blocks, users=users, items=items, metadata=metadata, sources=plan.sources)
    files = [path, *([] if similar is None else [_write_similar(stage, similar, items=items, metadata=metadata)])]
    if repeats is not None:
        _write_repeats(stage, repeats, user_idx, users=users, items=items, metadata=metadata, sources=plan.sources)
    n_allowed = len(items) if plan.allowed is None else int(plan.allowed.sum())
    _check_coverage(written, n_allowed, settings.min_coverage)
    facts = RetrieveFacts(
        n_users=len(user_idx),
        n_unknown_users=n_unknown,
        is_part_of_users=settings.users is not None,
        k=settings.k,
        n_rows=written.n_rows,
        n_short_lists=written.n_short,
        n_items_recommended=written.n_distinct,
        n_allowed_items=n_allowed,
        is_filtered=plan.has_rules or plan.caps is not None or len(changes.deleted) > 0,
        filters_as_of=now.isoformat(timespec="seconds") if plan.has_rules else None,
        sources=list(plan.sources),
        n_added_items=len(changes.added),
        n_deleted_items=len(changes.deleted),
        search_seconds=round(searched - began, 3),
        write_seconds=round(time.perf_counter() - searched, 3),
    )
    if n_old := len(changes.of_other_models):
        stage.say(f"{n_old:,} added items belong to an older model, have no texts, and are left out; add them again")
    published = _publish(stage, facts, files)
    short = f"; {written.n_short:,} lists are shorter" if written.n_short else ""
    limited = f" out of {n_allowed:,} allowed items" if plan.allowed is not None else ""
    stage.say(f"{len(user_idx):,} users with {settings.k} candidates each{limited}{short}; published as {published}")
    return facts


def _asked(settings: RetrieveSettings, now: datetime) -> Asked:
    """The table of the profile, with the lists of ids that it names."""
    rules = ItemRules(
        allow=None if settings.allow is None else read_ids(settings.allow, column=ITEM_ID, name="retrieve.allow"),
        deny=[] if settings.deny is None else read_ids(settings.deny, column=ITEM_ID, name="retrieve.deny"),
        categories=settings.categories,
        available_from=settings.available_from,
        available_until=settings.available_until,
        released=settings.released,
        min_age_days=settings.min_age_days,
        now=now,
    )
    return Asked(
        k=settings.k,
        sources=settings.sources,
        quotas=settings.quotas,
        caps=settings.caps,
        rules=rules,
        recent_days=settings.recent_days,
        fresh_days=settings.fresh_days,
    )


def _check_times(stage: StageRun[RetrieveSettings]) -> None:
    if {"recent_popularity", "fresh"} & set(stage.settings.sources) and not stage.facts_of("pairs", PairsFacts).has_time:
        raise DataError(
            "retrieve.sources: recent_popularity and fresh need a log with times, got an order of rows alone; leave them out"
        )


def _chosen_users(settings: RetrieveSettings, users: Vocabulary) -> tuple[NDArray[np.int64], int]:
    """All users or those of the file that have a history, in users' order, and how many of the file have none."""
    if settings.users is None:
        return np.arange(len(users)), 0
    asked = set(read_ids(settings.users, column=USER_ID, name="retrieve.users"))
    known = np.flatnonzero(users.ids.is_in(list(asked)).to_numpy())
    if not len(known):
        raise DataError(
            f"retrieve.users: some user of {settings.users} must have a history, got none of {len(asked)}; check the ids"
        )
    return known, len(asked) - len(known)


def _wants_repeats(stage: StageRun[RetrieveSettings]) -> bool:
    """Whether lists that may hold what a user has taken are judged too."""
    repeats = stage.config.get("repeats")
    return repeats is not None and "all" in stage.facts_of("split", SplitFacts).judged(repeats)


def _search(stage: StageRun[RetrieveSettings], plan: SearchPlan, kind: JobKind, rows: NDArray[np.int64], *, k: int) -> Job:
    """Do what is missing of one job; parts of another model, index, plan or list of users are thrown away first."""
    folder, settings = stage.folder.resolve() / _PARTS / kind, stage.settings
    parts = Parts(folder=folder, n_rows=len(rows), part_rows=settings.block_users, k=k)
    row_file = folder.with_suffix(".npy")
    write_array(row_file, rows)
    needed = {name: stage.inputs[name] for name in ("pairs", "embed", "index")}
    parts.bind(
        {
            "inputs": needed,
            "plan": hash_folder(stage.folder / "search"),
            "rows": sha256_of(row_file),
            "code": hash_code("recsys.candidates.part_worker"),
        }
    )
    folders = {name: (stage.run / name).resolve() for name in ("pairs", "embed", "index")}
    job = Job(
        kind=kind,
        parts=parts,
        rows=row_file,
        plan=stage.folder.resolve() / "search",
        **folders,
    )
    with stage.progress(f"searching for {kind}", len(parts)) as show:
        n_done = run_parts(
            job,
            plan=plan,
            executor=settings.executor,
            n_actors=settings.n_actors,
            on_part=lambda done: show(done, f"{min(done * parts.part_rows, len(rows)):,} of {len(rows):,}"),
        )
    if n_done < len(parts):
        stage.say(f"{kind}: {len(parts) - n_done} of {len(parts)} parts were there from before")
    return job


def _checked(
    job: Job, user_idx: NDArray[np.int64], seen: SeenByUser, plan: SearchPlan, *, users: Vocabulary, n_items: int
) -> Iterator[tuple[NDArray[np.int64], Found]]:
    """All parts in users' order; the model's lists must be as long as they can be."""
    for rows, found in job.parts.read_all():
        idx = user_idx[rows.start : rows.stop]
        if "two_tower" in plan.sources and plan.caps is None:
            possible = n_possible(seen.of(idx), k=job.parts.k, n_items=n_items, allowed=plan.allowed)
            short = np.flatnonzero((found.lists.item_idx >= 0).sum(1) != possible)
            if len(short):
                raise DataError(
                    f"retrieve: user '{users.ids[int(idx[short[0]])]}' must have {possible[short[0]]} candidates, got another "
                    f"number ({len(short)} such users); nothing was published; run again, and report this if it stays"
                )
        yield idx, found


def _write_similar(stage: StageRun[RetrieveSettings], job: Job, *, items: Vocabulary, metadata: dict[str, str]) -> Path:
    """The items nearest to each item, found by a job, as a table."""
    path = stage.folder / "similar.parquet"
    blocks = ((np.arange(rows.start, rows.stop), found) for rows, found in job.parts.read_all())
    write_candidates(path, blocks, users=items, items=items, metadata=metadata, columns=(ITEM_ID, SIMILAR_ITEM_ID))
    return path


def _write_repeats(
    stage: StageRun[RetrieveSettings],
    job: Job,
    user_idx: NDArray[np.int64],
    *,
    users: Vocabulary,
    items: Vocabulary,
    metadata: dict[str, str],
    sources: Sequence[str],
) -> None:
    """Lists that may hold what a user has taken; they are judged, and not published."""
    blocks = ((user_idx[rows.start : rows.stop], found) for rows, found in job.parts.read_all())
    path = stage.folder / "repeats" / "candidates.parquet"
    write_candidates(path, blocks, users=users, items=items, metadata=metadata, sources=sources)


def _check_coverage(written: Written, n_allowed: int, least: float) -> None:
    if written.n_distinct < least * n_allowed:
        raise DataError(
            f"retrieve: at least {least:.1%} of {n_allowed:,} allowed items must be in some list, got {written.n_distinct:,}; "
            "nothing was published; look at the model, or lower [retrieve] min_coverage"
        )


def _publish(stage: StageRun[RetrieveSettings], facts: RetrieveFacts, files: list[Path]) -> str:
    """Swap the set of tables in one step and forget the parts; returns the set's name."""
    about = {"profile": stage.run.name, "created": datetime.now(UTC).isoformat(timespec="seconds"), "inputs": stage.inputs}
    keep = stage.settings.keep_sets
    published = publish_set(stage.run / "published", files, about=about | {"facts": as_table(facts)}, keep=keep)
    shutil.rmtree(stage.folder / _PARTS)
    return published.name


STAGE = Stage(name="retrieve", read=RetrieveSettings.model_validate, work=work, keep=_PARTS)

if __name__ == "__main__":
    STAGE.main()
