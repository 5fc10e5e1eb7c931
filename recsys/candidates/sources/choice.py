"""The sources by name."""

from collections.abc import Callable, Mapping
from typing import Literal

from recsys.candidates.sources.baseline import baseline
from recsys.candidates.sources.in_order import in_order
from recsys.candidates.sources.item_to_item import open_item_to_item
from recsys.candidates.sources.source import Opened, Source
from recsys.candidates.sources.two_tower import open_two_tower

SourceName = Literal[
    "two_tower",
    "item_to_item",
    "fresh",
    "recent_popularity",
    "popularity",
    "item_knn",
    "co_visitation",
    "ease",
    "als",
    "own_history",
]
TWO_TOWER: SourceName = "two_tower"
SOURCES: Mapping[SourceName, Callable[[Opened], Source]] = {
    "two_tower": open_two_tower,
    "item_to_item": open_item_to_item,
    "fresh": in_order("fresh"),
    "recent_popularity": baseline("recent_popularity"),
    "popularity": baseline("popularity"),
    "item_knn": baseline("item_knn"),
    "co_visitation": baseline("co_visitation"),
    "ease": baseline("ease"),
    "als": baseline("als"),
    "own_history": baseline("own_history"),
}
