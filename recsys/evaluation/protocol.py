"""What was done, in sentences: the one place where facts of stages become prose."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recsys.baselines.facts import BaselinesFacts
from recsys.candidates.facts import RetrieveFacts
from recsys.data.facts import IngestFacts
from recsys.data.ties import describe_order
from recsys.evaluation.judgements import Judgements
from recsys.features.facts import PairsFacts
from recsys.index.facts import IndexFacts
from recsys.inference.facts import EmbedFacts
from recsys.models.facts import TrainFacts
from recsys.splits.facts import Scope, SplitFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What all stages up to the evaluation told."""

    ingest: IngestFacts
    split: SplitFacts
    pairs: PairsFacts
    train: TrainFacts
    embed: EmbedFacts
    index: IndexFacts
    retrieve: RetrieveFacts


def state_protocol(
    facts: RunFacts, judgements: Judgements, baselines: BaselinesFacts, *, n_items: int, kind: str | None
) -> list[str]:
    """The protocol of a run, line by line, each with its label before the first colon.

    Args:
        facts: Of its stages.
        judgements: What counts as relevant.
        baselines: What the model is held against.
        n_items: Items of the catalogue.
        kind: The column that says what kind an item is of, for metrics of diversity; None if there is none.
    """
    split, retrieve = facts.split, facts.retrieve
    n_new = split.n_test_events_of_new_users
    without = f"; {n_new:,} test events of users without an event before it are left out" if n_new else ""
    left_out = "" if facts.ingest.end is None else f"; what came from {facts.ingest.end[:19]} on is left out of all"
    n_relevant, n_new_items = judgements.pairs.height, retrieve.n_added_items
    beside = f"; the model also ranks {n_new_items:,} items without one, by texts or as added" if n_new_items else ""
    known = "; those that the model ranks by their texts can be found by it" if n_new_items else ""
    validation = " and validation" if facts.pairs.n_validation else ""
    return [
        f"Split: {split.protocol}: {state_split(split)}{without}{left_out}",
        f"Trained on: {split.n_train:,} events: {state_train_part(split)}",
        f"Relevant: {_state_relevant(judgements)}",
        f"Catalogue: ranked whole: {n_items:,} items, those with an event in train{beside}",
        f"Missing targets: {judgements.n_missing:,} of {n_relevant:,} relevant items are not in the catalogue and count as "
        f"misses (ceiling of recall {judgements.ceiling:.4f}){known}",
        f"Seen: {_state_seen(judgements, validation=validation)}",
        f"Lists: {_state_lists(retrieve)}",
        f"Index: {facts.index.backend}: {facts.index.why}",
        f"Ties: {state_ties(facts.ingest)}",
        f"Request time: {state_request_time(facts.pairs, facts.split, reads_times=facts.embed.reads_times)}",
        f"Epoch: {state_epoch(facts.train, has_validation=facts.pairs.n_validation > 0)}; test items are read by this stage "
        "only",
        "Weights: every event counts the same; weight and event columns are kept and not used",
        f"Baselines: {_of_scope(facts, judgements, baselines)}",
        f"Kinds of items: {'not known: no distance within lists, no miscalibration' if kind is None else f'by {kind}'}",
    ]


def state_split(split: SplitFacts) -> str:
    """By which rule the log was cut."""
    if split.cut is not None and split.validation_start is not None:
        cut, start = _moment(split.cut), _moment(split.validation_start)
        rule = f"one cut for all users: test from {cut} on, validation from {start} to there"
    else:
        last = "all events of each user's last moment are" if split.by_moment else "each user's last event is"
        rule = f"{last} test{', the second last validation' if split.has_validation else '; there is no validation part'}"
    if n_short := split.n_users_all_train:
        fewest = f"{3 if split.has_validation else 2} {'moments' if split.by_moment else 'events'}"
        rule += f"; {n_short:,} users with fewer than {fewest} are all train"
    if n_cold := split.n_cold_items:
        rule += f"; {n_cold:,} items withheld wholly, with {split.n_withheld_events:,} train and validation events"
    return rule


def state_train_part(split: SplitFacts) -> str:
    """Which events training learns from."""
    if split.validation_start is not None:
        start = _moment(split.validation_start)
        return f"those before {start}; validation events are in the histories that the test asks with"
    what = "moment" if split.by_moment else "event"
    if split.has_validation:
        return f"all but each user's last two {what}s; validation events are in the histories that the test asks with"
    return f"all but each user's last {what}"


def state_ties(ingest: IngestFacts) -> str:
    """How many events share their user's time, in which order they stand, and what their order in the file shows."""
    order = describe_order(ingest.ties, seed=ingest.ties_seed)
    text = f"{ingest.n_tied_events:,} events share their user's previous time, and stand {order}"
    if not ingest.is_tie_order_sorted:
        return text
    found = []
    if ingest.tie_fixed_share is not None:
        found.append(f"two items stand in one and the same order in {ingest.tie_fixed_share:.0%} of cases")
    if ingest.tie_ascending_share is not None:
        found.append(f"ids ascend in {ingest.tie_ascending_share:.0%}")
    return f"{text}; the file sorts them: {', '.join(found)} (50% by chance)"


def state_request_time(pairs: PairsFacts, split: SplitFacts, *, reads_times: bool) -> str:
    """Whether the model knows when candidates are asked for."""
    if not reads_times:
        return "no times at all: the model reads order only"
    match pairs.request_time:
        case "unknown":
            return "not known: only the gaps between past events are read"
        case "cut":
            return f"known: the cut, {split.cut}"
        case "held_out_event":
            n_without = pairs.n_users_without_request_time
            without = f"; not known for users without one ({n_without:,})" if n_without else ""
            return f"known: the time of the user's held-out event{without}"


def state_epoch(train: TrainFacts, *, has_validation: bool) -> str:
    """Which epoch's weights the model has, and why."""
    if train.best_validation_ndcg is None:
        why = "no validation event can be judged" if has_validation else "no validation part"
        return f"{why}: trained for {train.n_epochs} epochs, the last is kept"
    kept = f"epoch {train.best_epoch} of {train.n_epochs} is kept"
    return f"{kept}, the best on validation: NDCG@10 {train.best_validation_ndcg:.4f}"


def _of_scope(facts: RunFacts, judgements: Judgements, baselines: BaselinesFacts) -> str:
    scope: Scope = "all" if judgements.has_repeats else "new"
    return state_baselines(baselines, scope=scope, has_validation=facts.pairs.n_validation > 0)


def _state_relevant(judgements: Judgements) -> str:
    n_relevant, n_repeats, n_users = judgements.pairs.height, judgements.n_repeats, judgements.n_relevant.height
    who = f"; {n_users:,} users drawn by the seed out of {n_users + judgements.n_left_out:,}" if judgements.n_left_out else ""
    if judgements.has_repeats:
        return f"{n_relevant:,} test events of known users, {n_repeats:,} repeats in the whole test among them{who}"
    return f"{n_relevant:,} test events of known users that are new to them ({n_repeats:,} repeats left out){who}"


def _state_seen(judgements: Judgements, *, validation: str) -> str:
    if judgements.has_repeats:
        return "lists may hold what the user took before"
    return (
        f"all items of a user's train{validation} events are removed from the lists; what is held out for the test is not, or "
        "it could not be found"
    )


def state_baselines(baselines: BaselinesFacts, *, scope: Scope, has_validation: bool) -> str:
    """What the baselines know, and which settings they have."""
    known = "all events before the test, validation among them" if has_validation else "train"
    text = f"fitted on {known}, scored with the same histories and seen items as the model"
    if not baselines.validation_ndcg[scope]:
        return f"{text}; settings are the first of each grid, since nobody can be judged on validation"
    chosen = [f"{name.replace('_', '-')} ({_settings(own)})" for name, own in baselines.chosen[scope].items() if own]
    return f"{text}; {baselines.n_tried} settings tried, the best on validation taken: {', '.join(chosen)}"


def _settings(own: dict[str, Any]) -> str:
    named = {name.replace("_", " "): f"{value:g}" if isinstance(value, float) else value for name, value in own.items()}
    return ", ".join(f"{name} {value}" for name, value in named.items() if value not in (None, "0"))


def _state_lists(retrieve: RetrieveFacts) -> str:
    """How the judged lists came about: whose, from which sources, under which filters."""
    only = "; only they are judged" if retrieve.is_part_of_users else ""
    weights, shares = retrieve.weights[retrieve.scope], retrieve.source_shares
    if weights:
        ranked = sorted(weights.items(), key=lambda each: (-shares[each[0]], each[0]))
        mixed = ", ".join(f"{name} {weight:g} ({shares[name]:.0%} of the items)" for name, weight in ranked)
        sources = f"fused from sources weighted on validation: {mixed}"
    else:
        sources = f"from {', '.join(retrieve.sources)}"
    held = ", which may hold what a user took before" if retrieve.scope == "all" else ""
    text = f"{retrieve.n_users:,} users{only}{held}, {sources}"
    if retrieve.is_filtered:
        text += f"; filtered, {retrieve.n_allowed_items:,} items allowed: what the filters remove cannot be found"
    return text + (f"; {retrieve.n_short_lists:,} lists stay short" if retrieve.n_short_lists else "")


def _moment(iso: str) -> str:
    return f"{datetime.fromisoformat(iso):%Y-%m-%d %H:%M:%S}"
