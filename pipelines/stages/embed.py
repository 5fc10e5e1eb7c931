"""embed: the trained towers to `items.npy` (I, D) and `users.npy` (U, D), unit vectors, rows by idx."""

import numpy as np
import polars as pl

from pipelines.settings.embed import EmbedSettings
from pipelines.stages.stage import Stage, StageRun
from recsys.candidates.new_items import read_all_items, read_known
from recsys.core.columns import ITEM_ID
from recsys.core.errors import ConfigError
from recsys.core.files import write_array, write_atomically
from recsys.data.vocabulary import read_vocabulary
from recsys.features.facts import PairsFacts
from recsys.features.item_text import ALL, search_texts
from recsys.features.text_encoder import read_text_encoder
from recsys.inference.embedding import embed_items, embed_users, encode_contents, item_norms
from recsys.inference.facts import EmbedFacts
from recsys.inference.precision import choose_device, choose_dtype
from recsys.inference.towers import open_towers
from recsys.models.facts import TrainFacts
from recsys.models.two_tower import TwoTower
from recsys.sampling.batches import read_histories


def work(stage: StageRun[EmbedSettings]) -> EmbedFacts:
    """Encode every item, and every user at the moment candidates are asked for."""
    stage.read("ingest")
    pairs, train = stage.read("pairs"), stage.read("train")
    device = choose_device(stage.settings.device)
    dtype = choose_dtype(stage.facts_of("train", TrainFacts).precision, device)
    model = open_towers(pairs=pairs, train=train).to(device)
    spec = model.spec
    histories = read_histories(pairs)
    items = embed_items(model, device=device, dtype=dtype)
    users = embed_users(
        model,
        histories,
        np.arange(histories.n_users),
        held_out="test",
        batch_tokens=stage.settings.batch_tokens,
        device=device,
        dtype=dtype,
    )
    write_array(stage.folder / "items.npy", items)
    write_array(stage.folder / "users.npy", users)
    write_array(stage.folder / "item_norms.npy", item_norms(model, device=device))
    n_cold = _write_cold_items(stage, model)
    cold = f" and {n_cold:,} of items without a train event," if n_cold else ""
    stage.say(f"{len(items):,} item{cold} and {len(users):,} user vectors of {spec.dim} numbers")
    return EmbedFacts(
        n_items=len(items),
        n_users=len(users),
        n_cold_items=n_cold,
        dim=spec.dim,
        score="cosine",
        reads_times=spec.use_time,
        device=stage.settings.device,
        batch_tokens=stage.settings.batch_tokens,
    )


def _write_cold_items(stage: StageRun[EmbedSettings], model: TwoTower) -> int:
    """Vectors of items that train does not know, by their texts: all if asked for, and those that were added by hand.

    Those of which nothing is written are left out.
    """
    if stage.settings.cold_items and not model.spec.search_dim:
        raise ConfigError(
            "[embed] cold_items must be false where items have no texts, got true; give items texts or categories, and leave "
            "[pairs] search_dim above 0"
        )
    pairs = stage.read("pairs")
    known = read_vocabulary(pairs / "items.parquet", id_column=ITEM_ID).ids
    listed = read_all_items(stage.run) if stage.settings.cold_items else read_known(stage.run)
    table = listed.filter(~pl.col(ITEM_ID).is_in(known.implode()))
    if not (stage.settings.cold_items or (table.height and model.spec.search_dim)):
        return 0
    columns = stage.facts_of("pairs", PairsFacts).search_columns
    texts = read_text_encoder(pairs / "text_encoder").encode(search_texts(table, columns=columns)[ALL])
    is_described = texts.any(1)
    vectors = encode_contents(model, texts[is_described]) * np.float32(stage.settings.cold_scale)
    ids = table[ITEM_ID].filter(pl.Series(is_described))
    with write_atomically(stage.folder / "cold_items.parquet") as partial:
        pl.DataFrame({ITEM_ID: ids, "vector": pl.Series(vectors, dtype=pl.Array(pl.Float32, model.spec.dim))}).write_parquet(
            partial
        )
    return len(ids)


STAGE = Stage(name="embed", read=EmbedSettings.model_validate, work=work)

if __name__ == "__main__":
    STAGE.main()
