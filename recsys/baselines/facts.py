"""What the stage `baselines` tells of them."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

BaselineName = Literal[
    "random", "popularity", "recent_popularity", "item_knn", "co_visitation", "ease", "als", "own_history", "blend"
]
BASELINES: tuple[BaselineName, ...] = get_args(BaselineName)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselinesFacts:
    """Which baselines there are, and as what.

    Attributes:
        n_users: Users with lists.
        k: Length of the lists.
        skipped: Baselines that are left out since the catalogue is too large for them.
        largest_catalogue: Items beyond which that happens.
        artefacts: Lists beside them that follow an order of the data alone; a protocol where these find items is not trusted.
        chosen: Of each scope, `new` or `all`, the settings of each baseline; for the blend the weight of each.
        validation_ndcg: Likewise NDCG@10 of each on validation, with those settings; empty where nobody could be judged.
        n_tried: Settings that were tried.
    """

    n_users: int
    k: int
    skipped: list[str]
    largest_catalogue: int
    artefacts: list[str]
    chosen: dict[str, dict[str, dict[str, Any]]]
    validation_ndcg: dict[str, dict[str, float]]
    n_tried: int
