"""retrieve: `candidates.parquet` for every user: user_id, item_id, rank from 1, score; seen items never, k rows still."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from pipelines.config import RetrieveSettings
from pipelines.stage import StageRun, run_stage
from recsys.core.columns import ITEM_ID, USER_ID
from recsys.core.files import read_array, sha256_of
from recsys.data.vocabulary import read_vocabulary
from recsys.retrieval.candidates import check_list_length, write_candidates
from recsys.retrieval.filters import SeenItems
from recsys.retrieval.nearest import Nearest, Neighbours, Vectors
from recsys.retrieval.published import open_index


def work(stage: StageRun[RetrieveSettings]) -> None:
    """Search for all users in blocks and write block by block."""
    pairs, embed, index = stage.read("pairs"), stage.read("embed"), stage.read("index")
    users = read_vocabulary(pairs / "users.parquet", id_column=USER_ID)
    items = read_vocabulary(pairs / "items.parquet", id_column=ITEM_ID)
    check_list_length(stage.settings.k, n_items=len(items), name="retrieve")
    offsets = read_array(pairs / "offsets.npy")
    seen = SeenItems(item_idx=read_array(pairs / "item_idx.npy"), starts=offsets[:-1], ends=offsets[1:])
    nearest, vectors = open_index(index, embed / "items.npy"), read_array(embed / "users.npy")
    metadata = {f"{name}_sha256": sha256_of(embed / f"{name}.npy") for name in ("items", "users")}
    with stage.progress("searching", len(users)) as show:
        blocks = _search(nearest, vectors, seen, stage.settings, show)
        n_short = write_candidates(stage.folder / "candidates.parquet", blocks, users=users, items=items, metadata=metadata)
    embedded, has_validation = stage.facts_of("embed"), stage.facts_of("pairs")["n_validation"] > 0
    stage.facts |= {
        "n_users": len(users),
        "k": stage.settings.k,
        "n_short_lists": n_short,
        "request_time": embedded["request_time"],
        "epoch": embedded["epoch"],
        "seen": f"all items of a user's train{' and validation' if has_validation else ''} events are removed from the lists; "
        "what is held out for the test is not, or it could not be found",
    }
    short = f"; {n_short:,} users have fewer unseen items than that" if n_short else ""
    stage.say(f"{len(users):,} users with {stage.settings.k} candidates each{short}")


def _search(
    nearest: Nearest, vectors: Vectors, seen: SeenItems, settings: RetrieveSettings, show: Callable[[int, str], None]
) -> Iterator[tuple[NDArray[np.int64], Neighbours]]:
    for begin in range(0, len(vectors), settings.block_users):
        user_idx = np.arange(begin, min(begin + settings.block_users, len(vectors)))
        part = slice(begin, begin + len(user_idx))
        yield user_idx, nearest.search(np.array(vectors[part]), k=settings.k, seen=seen.rows(part))
        show(begin + len(user_idx), f"{begin + len(user_idx):,} users")


def main() -> None:
    """`python -m pipelines.retrieve artifacts/<profile>`."""
    run_stage("retrieve", RetrieveSettings, work)


if __name__ == "__main__":
    main()
