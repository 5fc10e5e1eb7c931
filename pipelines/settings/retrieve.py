"""`[retrieve]`: who gets how many candidates, from which sources, and what is never among them."""

import difflib
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from pipelines.settings.table import MOST_DAYS, Settings, Text
from recsys.candidates.sources.choice import SOURCES, SourceName
from recsys.splits.facts import Seen

Count = Annotated[int, Field(ge=1)]


class RetrieveSettings(Settings):
    """Who gets how many candidates, from which sources, and what is never among them."""

    k: int = Field(default=100, ge=1, description="Length of each user's list.")
    block_users: int = Field(default=2048, ge=1, description="Users of one part; a killed job goes on with the missing parts.")
    users: Text | None = Field(
        default=None,
        description="A file with the users to serve: a table with user_id, or one id a line; all users if left out.",
    )
    allow: Text | None = Field(default=None, description="A file with the only items that may be recommended.")
    deny: Text | None = Field(default=None, description="A file with items that are never recommended.")
    categories: dict[Text, Annotated[list[Text], Field(min_length=1)]] = Field(
        default={}, description="For a category column, the values of which an item needs at least one."
    )
    available_from: Text | None = Field(default=None, description="A time column of items, before which they are left out.")
    available_until: Text | None = Field(default=None, description="A time column of items, from which on they are left out.")
    released: Text | None = Field(default=None, description="A time column of items from which their age counts.")
    min_age_days: float = Field(default=0.0, ge=0, le=MOST_DAYS, description="Days that an item must be old.")
    now: Text | None = Field(
        default=None, description="The moment that rules about time hold for, as ISO 8601; the moment of the run if left out."
    )
    caps: dict[Text, Count] = Field(default={}, description="For a category column, the most items of one value in a list.")
    sources: Literal["auto"] | Annotated[list[SourceName], Field(min_length=1)] = Field(
        default="auto",
        description="Where candidates come from. auto: the two-tower model and all baselines, weighted by what their lists "
        "are worth on validation; several that are named are merged by reciprocal rank fusion.",
    )
    seen: Seen = Field(
        default="auto",
        description="Whether lists hold what a user has taken before: drop, keep, or auto: keep where more than a fifth of the "
        "train events are of an item that the user took on an earlier day.",
    )
    quotas: dict[SourceName, Count] = Field(default={}, description="Least number of items of a source in each list.")
    fresh_days: float = Field(
        default=30.0, gt=0, le=MOST_DAYS, description="Days since an item's first event that make it fresh."
    )
    similar_k: int = Field(default=20, ge=0, description="Neighbours of every item in similar.parquet; 0 writes none.")
    min_coverage: float = Field(default=0.0, ge=0, lt=1, description="Share of the allowed items that must be in some list.")
    keep_sets: int = Field(default=3, ge=1, description="Published sets that stay.")
    executor: Literal["local", "ray"] = Field(
        default="local", description="Who does the parts: this process, or actors of Ray (the extra distributed)."
    )
    n_actors: int = Field(default=2, ge=1, description="Actors of Ray.")

    @field_validator("sources", mode="before")
    @classmethod
    def _are_sources(cls, sources: Any) -> Any:
        named = [] if sources == "auto" else sources
        if not isinstance(named, list) or not (named or sources == "auto"):
            raise ValueError(f'sources must be "auto" or a list of names, got {sources!r}')
        for name in named:
            if name not in SOURCES:
                near = difflib.get_close_matches(str(name), SOURCES, n=1)
                nearest = f"; the nearest is {near[0]!r}" if near else ""
                raise ValueError(f"sources must be among {', '.join(SOURCES)}, got {name!r}{nearest}")
        return sources

    @field_validator("now")
    @classmethod
    def _is_a_moment(cls, now: str | None) -> str | None:
        if now is not None:
            try:
                datetime.fromisoformat(now)
            except ValueError:
                raise ValueError(f'now must be a time such as "2026-11-24T12:00:00+00:00", got {now!r}') from None
        return now

    def as_of(self) -> datetime:
        """When the rules apply: `now`, taken as UTC where it has no zone, or this moment."""
        chosen = datetime.now(UTC) if self.now is None else datetime.fromisoformat(self.now)
        return (chosen if chosen.tzinfo else chosen.replace(tzinfo=UTC)).astimezone(UTC)

    @model_validator(mode="after")
    def _sources_fit(self) -> "RetrieveSettings":
        if self.sources == "auto":
            if self.quotas:
                raise ValueError('sources must be named for quotas to hold, got "auto"')
        elif len(set(self.sources)) < len(self.sources):
            raise ValueError(f"sources must differ, got {', '.join(self.sources)}")
        if set(self.quotas) - set(self.sources):
            raise ValueError(f"quotas must be of sources in use, got one of {sorted(set(self.quotas) - set(self.sources))[0]}")
        if self.quotas and self.caps:
            raise ValueError("quotas must not stand beside caps, which could take their items again, got both")
        if self.min_age_days and self.released is None:
            raise ValueError(f"released must name the time column that min_age_days counts from, got {self.min_age_days} alone")
        if sum(self.quotas.values()) > self.k:
            raise ValueError(f"quotas must not exceed k in all, got {sum(self.quotas.values())} and {self.k}")
        return self
