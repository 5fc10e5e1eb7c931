"""How much each source has to say, by what its lists were worth on validation, the two-tower model among them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys.baselines.blend import DEPTH, blend_lists, fit_weights, said
from recsys.baselines.on_validation import OnValidation
from recsys.candidates.sources.choice import SOURCES, TWO_TOWER, SourceName
from recsys.core.files import read_array
from recsys.data.vocabulary import Vocabulary
from recsys.index.exact import ExactIndex
from recsys.index.filters import SeenItems
from recsys.index.nearest import Neighbours
from recsys.inference.embedding import embed_users
from recsys.inference.precision import Device, Precision, choose_device, choose_dtype
from recsys.inference.towers import open_towers
from recsys.sampling.batches import read_histories


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What validation says of the sources.

    Attributes:
        weights: Of each source with a say.
        ndcg: NDCG@10 of each source alone; `fusion` is that of all together.
        adds: Of each source with a say, what the fusion loses without it.
    """

    weights: dict[SourceName, float]
    ndcg: dict[str, float]
    adds: dict[SourceName, float]


def learn_weights(on: OnValidation, towers: Neighbours) -> Learned:
    """Weights whose fused lists are worth most on validation, never less than the best source alone.

    Args:
        on: Lists of the baselines for users of validation.
        towers: Those of the two-tower model for the same users.
    """
    lists = {name: towers if name == TWO_TOWER else on.lists[name] for name in SOURCES if name in (TWO_TOWER, *on.lists)}
    n_items, judge = on.judged.n_items, on.judged.ndcg
    found = fit_weights(lists, judge, n_items=n_items, k=10)
    weights = {name: found[name] for name in lists if found[name]}

    def worth(names: list[SourceName]) -> float:
        fused = blend_lists([lists[name] for name in names], [weights[name] for name in names], n_items=n_items, k=10)
        return judge(fused.lists)

    together = worth(list(weights))
    without = {name: [other for other in weights if other != name] for name in weights}
    return Learned(
        weights=weights,
        ndcg={"fusion": together} | {name: judge(lists[name]) for name in lists},
        adds={name: together - worth(others) if others else together for name, others in without.items()},
    )


def tower_lists(
    on: OnValidation,
    *,
    users: Vocabulary,
    run: Path,
    precision: Precision,
    device: Device = "auto",
    batch_tokens: int = 16_384,
) -> Neighbours:
    """What the two-tower model would have found for users of validation at that time. Shape (B, K).

    Args:
        on: Who is asked for.
        users: Of the run.
        run: The run folder, with the stages up to `embed` done.
        precision: That the model was trained in.
        device: Where to encode.
        batch_tokens: Padded events that are encoded at once.
    """
    chosen, histories = choose_device(device), read_histories(run / "pairs")
    user_idx = np.array([users.idx_of(user) for user in on.user_ids], np.int64)
    vectors = embed_users(
        open_towers(pairs=run / "pairs", train=run / "train").to(chosen),
        histories,
        user_idx,
        held_out="validation",
        batch_tokens=batch_tokens,
        device=chosen,
        dtype=choose_dtype(precision, chosen),
    )
    starts, ends = histories.offsets[user_idx], histories.train_end[user_idx]
    seen = None if on.judged.keeps_seen else SeenItems(item_idx=histories.item_idx, starts=starts, ends=ends)
    index = ExactIndex(np.array(read_array(run / "embed" / "items.npy")), device=str(chosen))
    return said(index.search(vectors, k=min(DEPTH, on.judged.n_items), seen=seen))
