"""How healthy the embeddings of a run are, for the report."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from recsys.core.columns import ITEM_ID, USER_ID
from recsys.core.files import read_array
from recsys.core.random import rng_for
from recsys.data.schema import category_columns
from recsys.data.vocabulary import read_vocabulary
from recsys.evaluation.embedding_charts import draw_map, draw_norms
from recsys.evaluation.embedding_health import EmbeddingHealth, measure_health, project_to_plane

_MOST_POINTS = 1_500


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSection:
    """What the page says of the embeddings.

    Attributes:
        verdict: Sound, or what is wrong.
        is_sound: Whether nothing is wrong.
        lines: Figures in words, each `label: text`.
        pictures: As SVG text, each with what it shows.
    """

    verdict: str
    is_sound: bool
    lines: Sequence[str]
    pictures: Sequence[tuple[str, str]]


def assess_embeddings(
    *, ingest: Path, pairs: Path, embed: Path, test: pl.DataFrame, seed: int
) -> tuple[EmbeddingHealth, HealthSection]:
    """Measure the embeddings of a run, and put it in words and pictures.

    Args:
        ingest: Folder of the stage `ingest`.
        pairs: Folder of the stage `pairs`.
        embed: Folder of the stage `embed`.
        test: The held-out events; those of known users and items say how near a user is to what came next.
        seed: For samples.
    """
    items, users = np.array(read_array(embed / "items.npy")), np.array(read_array(embed / "users.npy"))
    norms, counts = np.array(read_array(embed / "item_norms.npy")), np.array(read_array(pairs / "item_count.npy"))
    known_items = read_vocabulary(pairs / "items.parquet", id_column=ITEM_ID)
    known_users = read_vocabulary(pairs / "users.parquet", id_column=USER_ID)
    later = (
        test.join(known_users.frame(id_column=USER_ID, idx_column="user"), on=USER_ID)
        .join(known_items.frame(id_column=ITEM_ID, idx_column="item"), on=ITEM_ID)
        .select("user", "item")
    )
    rng = rng_for(seed, "embedding health")
    taken = later.to_numpy().astype(np.int64)
    health = measure_health(users, items, pairs=taken, norms=norms, counts=counts, rng=rng)
    shown = np.sort(rng.choice(len(items), min(_MOST_POINTS, len(items)), replace=False))
    column, groups = _groups(pl.read_parquet(ingest / "items.parquet"), known_items.ids.gather(shown))
    heading = "items by the two directions in which they differ most" + (f", coloured by {column}" if column else "")
    section = HealthSection(
        verdict=_verdict(health),
        is_sound=not health.faults,
        lines=_in_words(health, n_items=len(items)),
        pictures=[
            (draw_map(project_to_plane(items[shown]), groups, heading=heading), f"{heading.capitalize()}."),
            (draw_norms(norms[shown], counts[shown]), "Lengths of item vectors, before they became 1, by popularity."),
        ],
    )
    return health, section


def _verdict(health: EmbeddingHealth) -> str:
    if health.faults:
        return f"The embeddings are {'; '.join((*health.faults, *health.warnings))}."
    if health.warnings:
        return f"The embeddings are not collapsed, but {'; '.join(health.warnings)}."
    return "The embeddings are sound."


def health_figures(health: EmbeddingHealth) -> dict[str, Any]:
    """For `embedding_health.json`; a figure that could not be measured is null."""
    figures = asdict(health)
    figures["alignment"] = None if np.isnan(health.alignment) else health.alignment
    return figures


def _groups(table: pl.DataFrame, ids: pl.Series) -> tuple[str | None, list[str | None]]:
    """The first value of the first category column of each item."""
    columns = category_columns(table)
    if not columns:
        return None, [None] * len(ids)
    joined = pl.DataFrame({ITEM_ID: ids}).join(table, on=ITEM_ID, how="left", maintain_order="left")
    return columns[0], joined[columns[0]].list.first().to_list()


def _in_words(health: EmbeddingHealth, *, n_items: int) -> Sequence[str]:
    return [
        f"Alignment: {health.alignment:.3f}, the squared distance of a user and the item taken next (2 by chance, 0 at best)",
        f"Uniformity: items {health.item_uniformity:.3f}, users {health.user_uniformity:.3f} (0 if all lie close together; "
        f"{-4 + 8 / health.dim:.2f} and lower if they are spread evenly)",
        f"Mean cosine: items {health.item_cosine:.3f}, users {health.user_cosine:.3f} (1 if all lie close together)",
        f"Effective rank: items make use of {health.effective_rank:.1f} directions of {health.dim}",
        f"Hubness: {health.hubness:.2f}, the skewness of how often an item is among the 10 nearest of {health.n_users:,} users",
        f"Dead ids: {health.n_dead:,} of {n_items:,} items are among the 100 nearest of none of these users",
        f"Norm against popularity: rank correlation {health.norm_popularity:.3f} of an item's length and its train events",
    ]
