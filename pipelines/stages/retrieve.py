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
from recsys.baselines.facts import BaselinesFacts
from recsys.baselines.on_validation import read_on_validation
from recsys.candidates.candidate_search import SearchPlan
from recsys.candidates.catalogue import Catalogue
from recsys.candidates.executors import run_parts
from recsys.candidates.facts import RetrieveFacts
from recsys.candidates.item_rules import ItemRules, read_ids
from recsys.candidates.learned_weights import Learned, learn_weights, tower_lists
from recsys.candidates.new_items import read_all_items
from recsys.candidates.part_worker import Job, JobKind
from recsys.candidates.parts import Parts
from recsys.candidates.plan import Asked, build_plan, read_catalogue_changes
from recsys.candidates.sets import check_link, publish_set
from recsys.candidates.sources.choice import TWO_TOWER
from recsys.candidates.sources.named import check_named, named_for
from recsys.candidates.table import Written
from recsys.core.code import hash_code
from recsys.core.columns import ITEM_ID, USER_ID
from recsys.core.facts import as_table
from recsys.core.files import MANIFEST, hash_folder, sha256_of, write_array
from recsys.data.vocabulary import Vocabulary, read_vocabulary
from recsys.features.facts import PairsFacts
from recsys.index.nearest import check_list_length
from recsys.inference.facts import EmbedFacts
from recsys.models.facts import TrainFacts
from recsys.splits.facts import SCOPES, Scope, SplitFacts

_PARTS = "parts"


def work(stage: StageRun[RetrieveSettings]) -> RetrieveFacts:
    """Weigh the sources, search in parts, put the parts together, check that no list is missing, publish."""
    pairs, embed, *_ = (stage.read(name) for name in ("pairs", "embed", "ingest", "index", "train"))
    settings, began, now = stage.settings, time.perf_counter(), stage.settings.as_of()
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
    table, rules = read_all_items(stage.run), _rules(settings, now)
    plans = {
        scope: build_plan(_asked(stage, rules, scope, learned[scope]), table, items=items, pairs=pairs, changes=changes)
        for scope in scopes
    }
    learned_in, written, searched = time.perf_counter(), dict[Scope, Written](), 0.0
    for scope, plan in plans.items():
        folder = "" if scope == scopes[0] else f"{scope}/"
        written[scope], seconds = _make_lists(stage, plan, folder, user_idx, catalogue)
        searched += seconds
    first, plan = written[scopes[0]], plans[scopes[0]]
    files = [stage.folder / "candidates.parquet"]
    if similar_k := min(settings.similar_k, len(catalogue.items) - 1):
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
        learn_seconds=round(learned_in - began, 3),
        search_seconds=round(searched, 3),
        write_seconds=round(time.perf_counter() - learned_in - searched, 3),
    )
    if n_old := len(changes.of_other_models):
        stage.say(f"{n_old:,} added items belong to an older model, have no texts, and are left out; add them again")
    published = _publish(stage, facts, files)
    short = f"; {first.n_short:,} lists are shorter" if first.n_short else ""
    limited = f" out of {n_allowed:,} allowed items" if plan.allowed is not None else ""
    what = f"{settings.k} candidates each{', which may hold what a user took before' if plan.keeps_seen else ''}"
    stage.say(f"{len(user_idx):,} users with {what}{limited}{short}; published as {published}")
    return facts


def _make_lists(
    stage: StageRun[RetrieveSettings], plan: SearchPlan, folder: str, user_idx: NDArray[np.int64], catalogue: Catalogue
) -> tuple[Written, float]:
    """The table of a plan and, where it is a mix, of the towers alone, to be judged; and how long the searches took."""
    searches, seconds, written = {folder: plan}, 0.0, dict[str, Written]()
    if plan.sources != (TWO_TOWER,) and (plan.weights is not None or TWO_TOWER in plan.sources):
        searches[f"{folder}towers/"] = replace(plan, sources=(TWO_TOWER,), weights=None, quotas=(0,), fitted=None)
    for name, each in searches.items():
        each.write(stage.folder / name / "search")
        began = time.perf_counter()
        job = _search(stage, each, f"{name}users", "users", user_idx, k=stage.settings.k)
        seconds += time.perf_counter() - began
        written[name] = catalogue.write_lists(stage.folder / name / "candidates.parquet", job.parts, user_idx, plan=each)
    return written[folder], seconds


def _learn(stage: StageRun[RetrieveSettings], scope: Scope, users: Vocabulary) -> Learned | None:
    """The weights of the sources; None where sources are named, or nobody can be judged on validation."""
    if stage.settings.sources != "auto":
        return None
    on = read_on_validation(_baselines(stage) / "validation" / scope)
    if on is None or not on.lists:
        stage.say("sources: no baseline can be weighed on validation; lists are those of the two-tower model alone")
        return None
    precision = stage.facts_of("train", TrainFacts).precision
    embed = stage.facts_of("embed", EmbedFacts)
    towers = tower_lists(
        on, users=users, run=stage.run, precision=precision, device=embed.device, batch_tokens=embed.batch_tokens
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


def _rules(settings: RetrieveSettings, now: datetime) -> ItemRules:
    """What may be recommended, with the lists of ids that the profile names."""
    return ItemRules(
        allow=None if settings.allow is None else read_ids(settings.allow, column=ITEM_ID, name="retrieve.allow"),
        deny=[] if settings.deny is None else read_ids(settings.deny, column=ITEM_ID, name="retrieve.deny"),
        categories=settings.categories,
        available_from=settings.available_from,
        available_until=settings.available_until,
        released=settings.released,
        min_age_days=settings.min_age_days,
        now=now,
    )


def _asked(stage: StageRun[RetrieveSettings], rules: ItemRules, scope: Scope, learned: Learned | None) -> Asked:
    """The table of the profile, with the weights that were learned."""
    settings = stage.settings
    named = [TWO_TOWER] if settings.sources == "auto" else named_for(settings.sources, scope)
    sources = named if learned is None else list(learned.weights)
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
    if (named := stage.settings.sources) != "auto" and set(named) != {TWO_TOWER}:
        baselines = _baselines(stage)
        skipped = stage.facts_of("baselines", BaselinesFacts).skipped if (baselines / MANIFEST).is_file() else []
        has_time = stage.facts_of("pairs", PairsFacts).has_time
        check_named(named, fitted=baselines / "fitted", skipped=skipped, has_time=has_time)


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
