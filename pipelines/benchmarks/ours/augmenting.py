"""Two augmented views of all histories: whole batches at once, beside the same operators in a loop over single histories,
and beside such a loop over plain Python lists.

The job is JSON: `pairs`, the folder of that stage; `history_length`, `batch_tokens` and `n_repeats`.
"""

import json
import random
import sys
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from pipelines.benchmarks.ours.timing import seconds_of
from recsys.augmentation.compose import OPERATORS, AugmentationSettings, Augmenter
from recsys.augmentation.sequences import MASKED, Sequences, read_sequences
from recsys.augmentation.similar_items import SimilarItems, fit_similar_items
from recsys.core.facts import read_facts
from recsys.core.files import write_json
from recsys.features.facts import PairsFacts
from recsys.sampling.batches import read_histories, request_batches

SETTINGS = AugmentationSettings()
Events = tuple[list[int], list[int]]


def measure(job: dict[str, Any]) -> dict[str, float]:
    """Median seconds of `ours`, of `one_by_one` and of `lists`, and the number of `n_events`; each repeat goes through all."""
    pairs, most = Path(job["pairs"]), job["history_length"]
    histories = read_histories(pairs)
    n_items = read_facts(pairs, PairsFacts).n_items
    neighbours = fit_similar_items(histories, n_items=n_items, n_neighbours=20, window=5)
    batches = request_batches(
        histories,
        np.arange(histories.n_users),
        history_length=most,
        batch_tokens=job["batch_tokens"],
        use_time=True,
        held_out="validation",
    )
    sequences = [read_sequences(batch) for _, batch in batches]
    single = [batch.rows(torch.tensor([row])) for batch in sequences for row in range(len(batch.length))]
    lists = [_as_lists(batch) for batch in sequences]
    like = [[item for item in row if item >= 0] for row in neighbours.tolist()]
    similar = SimilarItems(torch.from_numpy(neighbours))
    augmenter = Augmenter(SETTINGS, similar=similar, most=most)
    generator, rng = torch.Generator().manual_seed(0), random.Random(0)  # noqa: S311

    def ours() -> None:
        for batch in sequences:
            augmenter.two_views(batch, generator=generator)

    def one_by_one() -> None:
        for history in single:
            augmenter.two_views(history, generator=generator)

    def in_lists() -> None:
        for batch in lists:
            for _ in range(2):
                pad([loop_view(events, like, most=most, rng=rng) for events in batch])

    works = (ours, one_by_one, in_lists)
    seconds = [[seconds_of(work) for work in works] for _ in range(1 + job["n_repeats"])][1:]
    medians = [median(column) for column in zip(*seconds, strict=True)]
    n_events = sum(len(items) for batch in lists for items, _ in batch)
    return {"ours": medians[0], "one_by_one": medians[1], "lists": medians[2], "n_events": n_events}


def pad(views: list[Events]) -> Sequences:
    """Lists as the tensors that a model takes."""
    length = torch.tensor([len(items) for items, _ in views])  # (B,)
    widest = int(length.max())
    padded = [[values + [0] * (widest - len(values)) for values in column] for column in zip(*views, strict=True)]
    return Sequences(item_idx=torch.tensor(padded[0]), time=torch.tensor(padded[1]), length=length)


def loop_view(events: Events, like: list[list[int]], *, most: int, rng: random.Random) -> Events:
    """One view of one history by an operator drawn for it: items and times as lists."""
    items, times = events
    n = len(items)
    if n == 0:
        return events
    name = rng.choice(OPERATORS)
    match name:
        case "crop":
            size = max(1, int(n * SETTINGS.crop_share))
            begin = rng.randrange(n - size + 1)
            return items[begin : begin + size], times[begin : begin + size]
        case "mask":
            hidden = set(rng.sample(range(n), min(max(1, int(n * SETTINGS.mask_share)), n - 1)))
            return [MASKED if position in hidden else item for position, item in enumerate(items)], times
        case "reorder":
            size = min(n, max(2, int(n * SETTINGS.reorder_share)))
            begin = rng.randrange(n - size + 1)
            part = items[begin : begin + size]
            rng.shuffle(part)
            return items[:begin] + part + items[begin + size :], times
    allowed = [position for position, item in enumerate(items) if like[item]]
    share = SETTINGS.insert_share if name == "insert" else SETTINGS.substitute_share
    chosen = rng.sample(allowed, min(max(1, int(n * share)), len(allowed)))
    if name == "substitute":
        changed = list(items)
        for position in chosen:
            changed[position] = rng.choice(like[items[position]])
        return changed, times
    return _insert(events, set(chosen), like, most=most, rng=rng)


def _insert(events: Events, chosen: set[int], like: list[list[int]], *, most: int, rng: random.Random) -> Events:
    longer, moments = list[int](), list[int]()
    for position, (item, moment) in enumerate(zip(*events, strict=True)):
        if position in chosen:
            before = events[1][position - 1] if position else moment
            longer.append(rng.choice(like[item]))
            moments.append(before + int((moment - before) * rng.random()))
        longer.append(item)
        moments.append(moment)
    return longer[-most:], moments[-most:]


def _as_lists(sequences: Sequences) -> list[Events]:
    time = torch.zeros_like(sequences.item_idx) if sequences.time is None else sequences.time
    rows = zip(sequences.item_idx.tolist(), time.tolist(), sequences.length.tolist(), strict=True)
    return [(items[:length], times[:length]) for items, times, length in rows]


def main() -> None:
    """`python -m pipelines.benchmarks.ours.augmenting JOB RESULT`."""
    write_json(Path(sys.argv[2]), measure(json.loads(sys.argv[1])) | {"version": f"PyTorch {torch.__version__}"})


if __name__ == "__main__":
    main()
