"""index: item vectors to a search index that is held to its recall against exact search."""

import numpy as np

from pipelines.settings.index import IndexSettings
from pipelines.stages.stage import Stage, StageRun
from recsys.candidates.changes import read_changes
from recsys.core.files import read_array, sha256_of
from recsys.index.facts import IndexFacts
from recsys.index.nearest import UNIT_TOLERANCE, Vectors
from recsys.index.published import build_index
from recsys.inference.facts import EmbedFacts


def work(stage: StageRun[IndexSettings]) -> IndexFacts:
    """Build, measure, and stop the run if the recall is missed."""
    embed, settings = stage.read("embed"), stage.settings
    space = stage.facts_of("embed", EmbedFacts)
    changes = read_changes(stage.run / "changes", model=sha256_of(embed / "items.npy"), dim=space.dim)
    about = build_index(
        stage.folder,
        embed / "items.npy",
        read_array(embed / "users.npy"),
        backend=settings.backend,
        k=settings.k,
        target_recall=settings.target_recall,
        n_queries=settings.measured_users,
        seed=settings.seed,
        score=space.score,
        added=_of_full_length(changes.vectors),
    )
    setting = "" if about.backend == "exact" else f", {about.build}, effort {about.effort}"
    stage.say(f"{about.backend}{setting}: recall@{about.k} {about.recall:.4f} against exact search; {about.why}")
    return about


def _of_full_length(added: Vectors) -> Vectors | None:
    """The first added items up to one that was shortened: an index of cosines takes no other, the rest stay beside it."""
    is_short = np.abs(np.linalg.norm(added, axis=1) - 1) > UNIT_TOLERANCE
    n = int(is_short.argmax()) if is_short.any() else len(added)
    return added[:n] if n else None


STAGE = Stage(name="index", read=IndexSettings.model_validate, work=work)

if __name__ == "__main__":
    STAGE.main()
