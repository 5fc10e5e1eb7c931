"""The names of columns that cross a room's border, once."""

from typing import Final

USER_ID: Final = "user_id"
ITEM_ID: Final = "item_id"
TIMESTAMP: Final = "timestamp"
WEIGHT: Final = "weight"
EVENT: Final = "event"
USER_IDX: Final = "user_idx"
ITEM_IDX: Final = "item_idx"
RANK: Final = "rank"
SCORE: Final = "score"
SOURCE: Final = "source"
SIMILAR_ITEM_ID: Final = "similar_item_id"
COUNT: Final = "count"
