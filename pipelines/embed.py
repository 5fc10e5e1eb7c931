"""embed: the trained towers to `items.npy` (I, D) and `users.npy` (U, D), unit vectors, rows by idx."""

import numpy as np

from pipelines.config import EmbedSettings
from pipelines.stage import StageRun, run_stage
from pipelines.towers import open_towers
from recsys.core.files import write_array
from recsys.sampling.batches import read_histories
from recsys.training.embedding import embed_items, embed_users, item_norms
from recsys.training.precision import choose_device, choose_dtype


def work(stage: StageRun[EmbedSettings]) -> None:
    """Encode every item, and every user at the moment candidates are asked for."""
    pairs, train = stage.read("pairs"), stage.read("train")
    device = choose_device(stage.settings.device)
    trained = stage.facts_of("train")
    dtype = choose_dtype(trained["precision"], device)
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
    statement = stage.facts_of("pairs")["request_time"] if spec.use_time else "no times at all: the model reads order only"
    stage.facts |= {
        "n_items": len(items),
        "n_users": len(users),
        "dim": spec.dim,
        "score": "cosine",
        "request_time": statement,
        "epoch": trained["epoch"],
    }
    stage.say(f"{len(items):,} item and {len(users):,} user vectors of {spec.dim} numbers; request time: {statement}")


def main() -> None:
    """`python -m pipelines.embed artifacts/<profile>`."""
    run_stage("embed", EmbedSettings, work)


if __name__ == "__main__":
    main()
