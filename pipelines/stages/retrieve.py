"""retrieve: candidates of all users or a given list, in parts that survive a kill, checked, and published in one step."""

import shutil
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.settings.retrieve import RetrieveSettings
from pipelines.stages.stage import Stage, StageRun
from recsys.baselines.facts import BASELINES, BaselinesFacts
from recsys.baselines.on_validation import read_on_validation
from recsys.candidates.candidate_search import SearchPlan
from recsys.candidates.catalogue import Catalogue
from recsys.candidates.executors import run_parts
from recsys.candidates.facts import RetrieveFacts
from recsys.candidates.item_rules import ItemRules, read_ids
from recsys.candidates.learned_weights import TWO_TOWER, Learned, learn_weights, tower_lists
from recsys.candidates.new_items import read_all_items
from recsys.candidates.part_worker import Job, JobKind
from recsys.candidates.parts import Parts
from recsys.candidates.plan import Asked, build_plan, read_catalogue_changes
from recsys.candidates.sets import check_link, publish_set
from recsys.candidates.sources.choice import SourceName
from recsys.candidates.table import Written
from recsys.core.code import hash_code
from recsys.core.columns import ITEM_ID, USER_ID
from recsys.core.errors import DataError
from recsys.core.facts import as_table
from recsys.core.files import MANIFEST, hash_folder, read_json, sha256_of, write_array
from recsys.data.vocabulary import Vocabulary, read_vocabulary
from recsys.features.facts import PairsFacts
from recsys.index.nearest import check_list_length
from recsys.models.facts import TrainFacts
from recsys.splits.facts import SCOPES, Scope, SplitFacts

_PARTS = "parts"


def work(stage: StageRun[RetrieveSettings]) -> RetrieveFacts:
    """Weigh the sources, search in parts, put the parts together, check that no list is missing, publish."""
    pairs, embed, *_ = (stage.read(name) for name in ("pairs", "embed", "ingest", "index", "train"))
    settings, now = stage.settings, stage.settings.as_of()
    check_link(stage.run / "published")
    _check_sources(stage)
    users = read_vocabulary(pairs / "users.parquet", id_column=USER_ID)
    items = read_vocabulary(pairs / "items.parquet", id_column=ITEM_ID)
    changes = read_catalogue_changes(stage.run)
    catalogue = Catalogue(
        users=users,
        items=changes.extend(items),
        metadata={f"{name}_sha256": sha256_of(embed / f"{name}.npy") for name in ("items", "users")},
        pairs=pairs,
    )
    check_list_length(settings.k, n_items=len(catalogue.items), name="retrieve")
    user_idx, n_unknown = catalogue.choose_users(settings.users)
    scopes = stage.facts_of("split", SplitFacts).scopes(stage.config.get("repeats", "new"), settings.seen)
    learned = {scope: _learn(stage, scope, users) for scope in scopes}
    table, began = read_all_items(stage.run), time.perf_counter()
    written, plans, searched = dict[str, Written](), dict[str, SearchPlan](), 0.0
    for scope in scopes:
        asked = _asked(stage, now, scope, learned[scope])
        plan = plans[scope] = build_plan(asked, table, items=items, pairs=pairs, changes=changes)
        folder = "" if scope == scopes[0] else f"{scope}/"
        searches = {folder: plan}
        if plan.sources != (TWO_TOWER,) and (plan.weights is not None or TWO_TOWER in plan.sources):
            searches[f"{folder}towers/"] = replace(plan, sources=(TWO_TOWER,), weights=None, quotas=(0,), fitted=None)
        for name, each in searches.items():
            each.write(stage.folder / name / "search")
            found_in = time.perf_counter()
            job = _search(stage, each, f"{name}users", "users", user_idx, k=settings.k)
            searched += time.perf_counter() - found_in
            path = stage.folder / name / "candidates.parquet"
            written[name] = catalogue.write_lists(path, job.parts, user_idx, plan=each)
    first, plan = written[""], plans[scopes[0]]
    similar_k = min(settings.similar_k, len(catalogue.items) - 1)
    files = [stage.folder / "candidates.parquet"]
    if similar_k:
        job = _search(stage, plan, "items", "items", np.arange(len(catalogue.items)), k=similar_k)
        files.append(catalogue.write_similar(stage.folder / "similar.parquet", job.parts))
    n_allowed = len(catalogue.items) if plan.allowed is None else int(plan.allowed.sum())
    first.check_coverage(settings.min_coverage, n_allowed=n_allowed)
    facts = RetrieveFacts(
        n_users=len(user_idx),
        n_unknown_users=n_unknown,
        is_part_of_users=settings.users is not None,
        k=settings.k,
        n_rows=first.n_rows,
        n_short_lists=first.n_short,
        n_items_recommended=first.n_distinct,
        n_allowed_items=n_allowed,
        is_filtered=plan.has_rules or plan.caps is not None or len(changes.deleted) > 0,
        filters_as_of=now.isoformat(timespec="seconds") if plan.has_rules else None,
        sources=list(plan.sources),
        scope=scopes[0],
        weights={scope: {} if each is None else dict(each.weights.items()) for scope, each in learned.items()},
        validation_ndcg={scope: {} if each is None else each.ndcg for scope, each in learned.items()},
        adds={scope: {} if each is None else dict(each.adds.items()) for scope, each in learned.items()},
        source_shares=first.shares(plan.sources),
        n_added_items=len(changes.added),
        n_deleted_items=len(changes.deleted),
        search_seconds=round(searched, 3),
        write_seconds=round(time.perf_counter() - began - searched, 3),
    )
    if n_old := len(changes.of_other_models):
        stage.say(f"{n_old:,} added items belong to an older model, have no texts, and are left out; add them again")
    published = _publish(stage, facts, files)
    short = f"; {first.n_short:,} lists are shorter" if first.n_short else ""
    limited = f" out of {n_allowed:,} allowed items" if plan.allowed is not None else ""
    what = f"{settings.k} candidates each{', which may hold what a user took before' if plan.keeps_seen else ''}"
    stage.say(f"{len(user_idx):,} users with {what}{limited}{short}; published as {published}")
    return facts


def _learn(stage: StageRun[RetrieveSettings], scope: Scope, users: Vocabulary) -> Learned | None:
    """The weights of the sources; None where sources are named, or nobody can be judged on validation."""
    if stage.settings.sources != "auto":
        return None
    on = read_on_validation(_baselines(stage) / "validation" / scope)
    if on is None or not on.lists:
        stage.say("sources: no baseline can be weighed on validation; lists are those of the two-tower model alone")
        return None
    embed = stage.read("embed")
    config = read_json(embed / MANIFEST)["config"]
    towers = tower_lists(
        on,
        users=users,
        pairs=stage.read("pairs"),
        train=stage.read("train"),
        embed=embed,
        precision=stage.facts_of("train", TrainFacts).precision,
        device=config["device"],
        batch_tokens=config["batch_tokens"],
    )
    learned = learn_weights(on, towers)
    shown = ", ".join(f"{name} {weight:g}" for name, weight in learned.weights.items())
    best = max((name for name in learned.ndcg if name != "fusion"), key=lambda name: learned.ndcg[name])
    alone = ", ".join(f"{name} alone {learned.ndcg[name]:.4f}" for name in dict.fromkeys((best, TWO_TOWER)))
    stage.say(f"{SCOPES[scope]}: weights {shown}; NDCG@10 on validation {learned.ndcg['fusion']:.4f}, {alone}")
    return learned


def _baselines(stage: StageRun[RetrieveSettings]) -> Path:
    """The folder of the stage `baselines`; where somebody runs stages by hand it may be empty, and is read once it is there."""
    folder = stage.run / "baselines"
    return stage.read("baselines") if (folder / MANIFEST).is_file() else folder


def _asked(stage: StageRun[RetrieveSettings], now: datetime, scope: Scope, learned: Learned | None) -> Asked:
    """The table of the profile, with the lists of ids that it names and the weights that were learned."""
    settings = stage.settings
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
    sources = _named(stage, scope) if learned is None else list(learned.weights)
    fitted = _baselines(stage) / "fitted" / scope
    return Asked(
        k=settings.k,
        sources=sources,
        weights=None if learned is None else list(learned.weights.values()),
        quotas={name: least for name, least in settings.quotas.items() if name in sources},
        keeps_seen=scope == "all",
        fitted=fitted if any((fitted / name).is_dir() for name in sources) else None,
        caps=settings.caps,
        rules=rules,
        fresh_days=settings.fresh_days,
    )


def _check_sources(stage: StageRun[RetrieveSettings]) -> None:
    """Sources that are named must be there, before anything is searched."""
    named = [] if stage.settings.sources == "auto" else stage.settings.sources
    if {"recent_popularity", "fresh"} & set(named) and not stage.facts_of("pairs", PairsFacts).has_time:
        raise DataError(
            "retrieve.sources: recent_popularity and fresh need a log with times, got an order of rows alone; leave them out"
        )
    fitted = {path.parent.name for path in (_baselines(stage) / "fitted").glob("*/*/fitted.json")}
    for name in named:
        if name in BASELINES and name not in fitted:
            skipped = stage.facts_of("baselines", BaselinesFacts).skipped
            cure = "raise [baselines] largest_catalogue" if name in skipped else f'put "{name}" into [baselines] names'
            raise DataError(f"retrieve.sources: {name} must be a baseline of this run, got none; {cure}, or leave it out")


def _named(stage: StageRun[RetrieveSettings], scope: Scope) -> list[SourceName]:
    """The sources that are named; own history says nothing of what is new."""
    if stage.settings.sources == "auto":
        return [TWO_TOWER]
    named = [name for name in stage.settings.sources if scope == "all" or name != "own_history"]
    return named or [TWO_TOWER]


def _search(
    stage: StageRun[RetrieveSettings], plan: SearchPlan, name: str, kind: JobKind, rows: NDArray[np.int64], *, k: int
) -> Job:
    """Do what is missing of one job; parts of another model, index, plan or list of users are thrown away first."""
    folder, settings = stage.folder.resolve() / _PARTS / name, stage.settings
    search = stage.folder.resolve() / name.removesuffix(kind) / "search"
    parts = Parts(folder=folder, n_rows=len(rows), part_rows=settings.block_users, k=k)
    row_file = folder.with_suffix(".npy")
    write_array(row_file, rows)
    needed = {stage_name: stage.inputs[stage_name] for stage_name in ("pairs", "embed", "index")}
    parts.bind(
        {
            "inputs": needed,
            "plan": hash_folder(search),
            "rows": sha256_of(row_file),
            "code": hash_code("recsys.candidates.part_worker"),
        }
    )
    folders = {stage_name: (stage.run / stage_name).resolve() for stage_name in ("pairs", "embed", "index")}
    job = Job(
        kind=kind,
        parts=parts,
        rows=row_file,
        plan=search,
        **folders,
    )
    with stage.progress(f"searching for {name}", len(parts)) as show:
        n_done = run_parts(
            job,
            plan=plan,
            executor=settings.executor,
            n_actors=settings.n_actors,
            on_part=lambda done: show(done, f"{min(done * parts.part_rows, len(rows)):,} of {len(rows):,}"),
        )
    if n_done < len(parts):
        stage.say(f"{name}: {len(parts) - n_done} of {len(parts)} parts were there from before")
    return job


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
