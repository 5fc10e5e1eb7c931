"""`[ingest]`: where the log is and how it is cleaned."""

from typing import Literal

from pydantic import Field, model_validator

from pipelines.settings.table import MOST_DAYS, MOST_SEED, Settings, Text
from recsys.data.ties import Ties


class IngestSettings(Settings):
    """Where the log is and how it is cleaned."""

    source: Literal["files", "movielens-100k", "movielens-1m", "amazon-beauty", "amazon-sports", "s3rec", "synthetic"] = Field(
        description="Where the log comes from: your own files, a public data set, histories without times (s3rec), or a "
        "made-up "
        "world."
    )
    interactions: Text | None = Field(
        default=None, description="The log: a CSV or Parquet file, a glob, or a cloud address that polars reads."
    )
    items: Text | None = Field(default=None, description="A table of items with their attributes, one row an item.")
    users: Text | None = Field(default=None, description="A table of users with their attributes, one row a user.")
    columns: dict[Literal["user_id", "item_id", "timestamp", "weight", "event"], Text] = Field(
        default={}, description="Our column names to those of the files; they hold for all three tables."
    )
    separator: Text | None = Field(
        default=None,
        description="What cuts the rows of a text file, one character or more; a comma, or a tab for .tsv, if left out.",
    )
    header: list[Text] | None = Field(default=None, description="Column names of a log without a header row.")
    items_header: list[Text] | None = Field(default=None, description="Column names of an items file without a header row.")
    users_header: list[Text] | None = Field(default=None, description="Column names of a users file without a header row.")
    item_text: list[Text] = Field(default=[], description="Columns of items that hold text, such as titles.")
    item_categories: list[Text] = Field(default=[], description="Columns of items that hold categories, one or several a cell.")
    item_numbers: list[Text] = Field(
        default=[], description="Columns of items that hold numbers; whole ones such as years are searched too."
    )
    item_times: list[Text] = Field(default=[], description="Columns of items that hold times, for rules of availability.")
    user_categories: list[Text] = Field(default=[], description="Columns of users that hold categories.")
    user_numbers: list[Text] = Field(default=[], description="Columns of users that hold numbers.")
    category_separator: Text = Field(default="|", description="What stands between the categories of one cell of text.")
    timestamp_unit: Literal["s", "ms", "us"] = Field(default="s", description="Unit of integer times since 1970.")
    timestamp_format: Text | None = Field(
        default=None, description="strftime format of times that are text; not needed for integers, dates and Parquet times."
    )
    min_user_interactions: int = Field(default=3, ge=1, description="Users with fewer events are dropped.")
    min_item_interactions: int = Field(default=1, ge=1, description="Items with fewer events are dropped.")
    days_left_out: float = Field(
        default=0.0,
        ge=0,
        le=MOST_DAYS,
        description="Days before the last event whose events are left out, as if they had not been: for back-tests.",
    )
    missing_ids: Literal["stop", "drop"] = Field(default="stop", description="What happens to rows without a user or an item.")
    ties: Ties = Field(
        default="auto",
        description="Order of a user's events with equal times. sets: none, they are one moment, learned and held out as a "
        "whole; file: that of the file; shuffled: drawn by the seed; unstable: what an unstable sort of the whole log leaves "
        "(as in Meta's generative-recommenders); auto: that of the file where it agrees with events at different times and is "
        "no sort, else sets.",
    )
    n_users: int = Field(default=600, ge=1, description="Users of the synthetic world.")
    n_items: int = Field(default=300, ge=2, description="Items of the synthetic world.")
    n_topics: int = Field(default=12, ge=1, description="Topics of the synthetic world.")
    basket_size: float = Field(
        default=1.0,
        ge=1,
        le=100,
        description="Above 1 the synthetic world is a shop with baskets of so many articles on average, sorted by number, with "
        "repeats and returns.",
    )
    seed: int = Field(default=0, ge=0, lt=MOST_SEED, description="Of the synthetic world and of shuffled ties.")

    @model_validator(mode="after")
    def _needs_a_log(self) -> "IngestSettings":
        if self.source in ("files", "s3rec") and self.interactions is None:
            raise ValueError(f'interactions must name a file for source = "{self.source}", got nothing')
        return self
