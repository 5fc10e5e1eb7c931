"""A contrastive two-tower recommender.

>>> from recsys import Recommender
>>> model = Recommender(dim=64, n_epochs=4).fit(log)  # doctest: +SKIP
>>> model.recommend(["42"], k=10)  # doctest: +SKIP

`Recommender` learns and recommends in memory, `open_run` opens a finished run; both answer the same questions. The rooms
behind them are listed in `docs/architecture.md`; a room imports only from rooms below it. Tensors carry shape letters: B batch,
U users, I items, D embedding, L history, K list, N negatives.
"""

import importlib.metadata
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recsys.recommender import Recommender
    from recsys.serving.opened_run import open_run

__all__ = ["Recommender", "__version__", "open_run"]

# Idle threads look for work this often before they sleep: as fast as spinning on free cores, many times faster on shared ones.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

_DOORS = {"Recommender": "recsys.recommender", "open_run": "recsys.serving.opened_run"}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return importlib.metadata.version("contrastive-recsys")
    if name in _DOORS:
        return getattr(importlib.import_module(_DOORS[name]), name)
    raise AttributeError(f"module 'recsys' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
