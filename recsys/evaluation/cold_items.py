"""How well items without a train event are found by their texts, among themselves and in the whole catalogue."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recsys.baselines.content import carried_over, content_knn_scores, nearest_texts, similar_popularity
from recsys.baselines.fitted import ByItems, read_fitted
from recsys.baselines.ranking import Scores
from recsys.baselines.train_matrix import BaselineData
from recsys.core.columns import ITEM_ID, USER_ID, USER_IDX
from recsys.core.facts import read_facts
from recsys.core.files import read_array
from recsys.core.random import rng_for
from recsys.data.vocabulary import Vocabulary, read_vocabulary
from recsys.evaluation.judgements import Judgements
from recsys.evaluation.segments import rank_metrics
from recsys.features.facts import PairsFacts
from recsys.features.item_text import ALL, search_texts
from recsys.features.text_encoder import read_text_encoder

AMONG, MIXED = "cold items among cold items", "cold items in the whole catalogue"
_N_NEIGHBOURS, _N_TABLES = 20, 4
_CONTENT, _CARRIED = "content-knn", ("ease", "item_knn")
Figures = dict[str, dict[str, NDArray[np.float64]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdEvaluation:
    """What cold items are worth, and for whom that was judged.

    Attributes:
        segments: The figures of the model, of content-kNN and of rules carried over by texts in both segments; among cold
            items also of the popularity of similar items and of chance.
        n_users: How many users took a cold item in test.
        n_judged: How many of them were judged; all, or a sample if the scores of all would not fit in memory.
    """

    segments: dict[str, Figures]
    n_users: int
    n_judged: int

    def in_words(self) -> str:
        """One line for the protocol."""
        chosen = "" if self.n_judged == self.n_users else ", a sample drawn by the seed"
        return (
            f"ranked among themselves and in the whole catalogue, judged for {self.n_judged:,} of "
            f"{self.n_users:,} users who took one{chosen}"
        )


def evaluate_cold_items(
    *,
    run: Path,
    judgements: Judgements,
    data: BaselineData,
    ks: list[int],
    model: str,
    seed: int,
    most_scores: int = 800_000_000,
) -> ColdEvaluation | None:
    """Rank the cold items for the users who took one of them, a sample if there are many.

    Args:
        run: The run folder, with `embed` done and cold items encoded.
        judgements: On cold items alone.
        data: Histories up to the test.
        ks: List lengths.
        model: The name of ours.
        seed: Of the random order.
        most_scores: Scores that fit in memory; a user needs one for each item and model.

    Returns:
        Nothing if no cold item can be judged.
    """
    cold = pl.read_parquet(run / "embed" / "cold_items.parquet")
    users = read_vocabulary(run / "pairs" / "users.parquet", id_column=USER_ID)
    warm = np.array(read_array(run / "embed" / "items.npy"))
    ids = Vocabulary(ids=cold[ITEM_ID])
    relevant = (
        judgements.pairs.join(ids.frame(id_column=ITEM_ID, idx_column="cold"), on=ITEM_ID)
        .join(users.frame(id_column=USER_ID, idx_column="user"), on=USER_ID)
        .join(data.users.frame(id_column=USER_ID, idx_column="row"), on=USER_ID)
        .sort("user", "cold")
    )
    if relevant.is_empty():
        return None
    n_users = relevant["user"].n_unique()
    relevant = _sample_users(relevant, n_items=len(warm) + cold.height, most_scores=most_scores, seed=seed)
    row = relevant["user"].rle_id().to_numpy().astype(np.int64)
    first = np.flatnonzero(np.diff(row, prepend=-1))
    user_idx, rows = (relevant[name].to_numpy().astype(np.int64)[first] for name in ("user", "row"))
    target = relevant["cold"].to_numpy().astype(np.int64)
    vectors = np.array(cold["vector"].to_numpy(), np.float32)
    queries = np.array(read_array(run / "embed" / "users.npy")[user_idx])
    of_warm, of_cold = _by_texts(run, data, cold=cold[ITEM_ID], rows=rows)
    of_warm = {model: queries @ warm.T} | of_warm
    scores: dict[str, Scores] = {model: queries @ vectors.T} | of_cold
    scores["random"] = rng_for(seed, "cold items").random(scores[model].shape)
    taken = pl.read_parquet(run / "pairs" / "unknown_events.parquet").join(
        ids.frame(id_column=ITEM_ID, idx_column="cold"), on=ITEM_ID
    )
    taken = taken.join(pl.DataFrame({USER_IDX: user_idx}).with_row_index("row"), on=USER_IDX)
    for table in scores.values():
        table[taken["row"].to_numpy(), taken["cold"].to_numpy()] = -np.inf
    own = {name: _ranks(table, row, target) for name, table in scores.items()}
    among = {name: rank_metrics(ranks, row, ks=ks) for name, ranks in own.items()}
    mixed = {}
    seen = data.taken.history[rows].tocoo()
    for name, table in of_warm.items():
        table[seen.row, seen.col] = -np.inf
        above = (table[row] >= scores[name][row, target][:, None]).sum(1)
        mixed[name] = rank_metrics(own[name] + above, row, ks=ks)
    return ColdEvaluation(segments={AMONG: among, MIXED: mixed}, n_users=n_users, n_judged=len(rows))


def _sample_users(relevant: pl.DataFrame, *, n_items: int, most_scores: int, seed: int) -> pl.DataFrame:
    """Rows of as many users as have room: a row needs the scores of all items."""
    asked = relevant["user"].unique().sort()
    most = max(1, len(asked) * most_scores // (relevant.height * n_items * _N_TABLES))
    if len(asked) <= most:
        return relevant
    chosen = rng_for(seed, "cold users").choice(len(asked), most, replace=False)
    return relevant.filter(pl.col("user").is_in(asked.gather(np.sort(chosen)).implode()))


def _by_texts(
    run: Path, data: BaselineData, *, cold: pl.Series, rows: NDArray[np.int64]
) -> tuple[dict[str, Scores], dict[str, Scores]]:
    """What texts and rules make of warm items, (B, I) each, and of cold ones, (B, C) each.

    Items stand in the same order in `pairs` and for baselines.
    """
    known = pl.read_parquet(run / "ingest" / "items.parquet")
    table = pl.DataFrame({ITEM_ID: cold}).join(known, on=ITEM_ID, how="left", maintain_order="left")
    columns = read_facts(run / "pairs", PairsFacts).search_columns
    encoded = read_text_encoder(run / "pairs" / "text_encoder").encode(search_texts(table, columns=columns)[ALL])
    texts = np.array(read_array(run / "pairs" / "search_text.npy")[:, 0])
    content = content_knn_scores(data.taken.history, texts=texts, scored=np.concatenate([texts, encoded]))(rows)
    of_warm: dict[str, Scores] = {_CONTENT: content[:, : len(texts)]}
    of_cold: dict[str, Scores] = {_CONTENT: content[:, len(texts) :]}
    nearest = nearest_texts(texts=texts, cold=encoded, n_neighbours=_N_NEIGHBOURS)
    for name in _CARRIED:
        folder = run / "baselines" / "fitted" / "new" / name
        fitted = read_fitted(folder) if folder.is_dir() else None
        if isinstance(fitted, ByItems):
            scores = csr_matrix(data.taken.weights(fitted.half_life)[rows] @ fitted.similarity)
            label = f"{name.replace('_', '-')}-by-texts"
            of_warm[label], of_cold[label] = scores.toarray(), carried_over(scores, nearest=nearest)
    counts = np.array(read_array(run / "pairs" / "item_count.npy"))
    of_cold["popularity-of-similar"] = np.tile(similar_popularity(counts, nearest=nearest), (len(rows), 1))
    return of_warm, of_cold


def _ranks(scores: NDArray[np.floating], row: NDArray[np.int64], target: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rank from 1 of each relevant item; of equal scores the one with the smaller idx comes first."""
    own = scores[row, target][:, None]
    before = np.arange(scores.shape[1])[None, :] < target[:, None]
    table = scores[row]
    ranks: NDArray[np.int64] = 1 + (table > own).sum(1) + ((table == own) & before).sum(1)
    return ranks
