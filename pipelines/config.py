"""Every knob: one model a stage, one TOML file a profile, checked whole before any work; `training_config` has the towers'."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(gt=0, lt=1)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Chance = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Days = Annotated[float, Field(gt=0, le=36_500)]
Text = Annotated[str, StringConstraints(min_length=1)]
Source = Literal["two_tower", "item_to_item", "recent_popularity", "fresh"]
Baseline = Literal["random", "popularity", "recent_popularity", "item_knn", "ease", "als"]


class Settings(BaseModel):
    """What all tables share: unknown keys and wrong types are refused, and nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class IngestSettings(Settings):
    """`[ingest]`: where the log is and how it is cleaned."""

    source: Literal["files", "movielens-100k", "movielens-1m", "amazon-beauty", "amazon-sports", "s3rec", "synthetic"]
    interactions: Text | None = None
    items: Text | None = None
    users: Text | None = None
    columns: dict[Literal["user_id", "item_id", "timestamp", "weight", "event"], Text] = {}
    separator: Text | None = None
    header: list[Text] | None = None
    items_header: list[Text] | None = None
    users_header: list[Text] | None = None
    item_text: list[Text] = []
    item_categories: list[Text] = []
    item_numbers: list[Text] = []
    item_times: list[Text] = []
    user_categories: list[Text] = []
    user_numbers: list[Text] = []
    category_separator: Text = "|"
    timestamp_unit: Literal["s", "ms", "us"] = "s"
    timestamp_format: Text | None = None
    min_user_interactions: Count = 3
    min_item_interactions: Count = 1
    missing_ids: Literal["stop", "drop"] = "stop"
    ties: Literal["file", "shuffled", "unstable"] = "file"
    n_users: Count = 600
    n_items: Annotated[int, Field(ge=2)] = 300
    n_topics: Count = 12
    seed: Seed = 0

    @model_validator(mode="after")
    def _needs_a_log(self) -> "IngestSettings":
        if self.source in ("files", "s3rec") and self.interactions is None:
            raise ValueError(f'interactions must name a file for source = "{self.source}", got nothing')
        return self


class SplitSettings(Settings):
    """`[split]`: who is held out. `also` names protocols that `make run` goes through as well, each a run of its own.

    `cold_share` of the items are withheld wholly: they are in no train or validation event, only in the test.
    `validation = false` trains on all but each user's last event; the number of epochs is then `[train] n_epochs`.
    """

    protocol: Literal["leave_last_out", "temporal"] = "leave_last_out"
    also: list[Literal["leave_last_out", "temporal"]] = []
    validation: bool = True
    validation_share: Share = 0.1
    test_share: Share = 0.1
    validation_days: Days | None = None
    test_days: Days | None = None
    cold_share: Chance = 0.0
    cold_seed: Seed = 0

    @model_validator(mode="after")
    def _windows_need_validation(self) -> "SplitSettings":
        if not self.validation and "temporal" in (self.protocol, *self.also):
            raise ValueError('validation must be true for the protocol "temporal", got false')
        return self


class PairsSettings(Settings):
    """`[pairs]`: what the towers read, and by which texts items are searched; sentences have `search_dim` of their own."""

    request_time: Literal["known", "unknown"] = "known"
    item_attributes: bool = True
    user_attributes: bool = False
    text_dim: Annotated[int, Field(ge=0, le=1024)] = 32
    text_encoder: Literal["words", "sentences"] = "words"
    search_dim: Annotated[int, Field(ge=0, le=4096)] = 512
    seed: Seed = 0


class EmbedSettings(Settings):
    """`[embed]`: how vectors are computed, and whether items without a train event get one from their texts.

    Such items are shortened to `cold_scale`, so that they take fewer places of others: of the first ten places, a tenth of the
    items of MovieLens-1M took 35 % at 1, 14 % at 0.94 and 5 % at 0.9.
    """

    batch_tokens: Count = 16_384
    cold_items: bool = False
    cold_scale: Annotated[float, Field(gt=0, le=1)] = 0.95
    device: Literal["auto", "cpu", "cuda"] = "auto"


class IndexSettings(Settings):
    """`[index]`: which index, and the recall it must have."""

    backend: Literal["auto", "exact", "annoy", "faiss"] = "auto"
    k: Count = 100
    target_recall: Annotated[float, Field(gt=0, le=1)] = 0.99
    measured_users: Count = 500
    seed: Seed = 0


class RetrieveSettings(Settings):
    """`[retrieve]`: who gets how many candidates, from which sources, and what is never among them.

    Files of ids are tables with the column `user_id` or `item_id`, or text with one id a line.
    """

    k: Count = 100
    block_users: Count = 2048
    users: Text | None = None
    allow: Text | None = None
    deny: Text | None = None
    categories: dict[Text, Annotated[list[Text], Field(min_length=1)]] = {}
    available_from: Text | None = None
    available_until: Text | None = None
    released: Text | None = None
    min_age_days: Annotated[float, Field(ge=0, le=36_500)] = 0.0
    now: Text | None = None
    caps: dict[Text, Count] = {}
    sources: Annotated[list[Source], Field(min_length=1)] = ["two_tower"]
    quotas: dict[Source, Count] = {}
    recent_days: Days = 7.0
    fresh_days: Days = 30.0
    similar_k: Annotated[int, Field(ge=0)] = 20
    min_coverage: Chance = 0.0
    keep_sets: Count = 3
    executor: Literal["local", "ray"] = "local"
    n_actors: Count = 2

    @field_validator("now")
    @classmethod
    def _is_a_moment(cls, now: str | None) -> str | None:
        if now is not None:
            try:
                datetime.fromisoformat(now)
            except ValueError:
                raise ValueError(f'now must be a time such as "2026-11-24T12:00:00+00:00", got {now!r}') from None
        return now

    @model_validator(mode="after")
    def _sources_fit(self) -> "RetrieveSettings":
        if len(set(self.sources)) < len(self.sources):
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


class BaselinesSettings(Settings):
    """`[baselines]`: what the model is held against."""

    names: list[Baseline] = ["random", "popularity", "recent_popularity", "item_knn", "ease", "als"]
    k: Count = 100
    recent_days: Days = 7.0
    n_neighbours: Count = 100
    shrinkage: Annotated[float, Field(ge=0)] = 10.0
    regularisation: Positive = 200.0
    largest_catalogue: Count = 15_000
    als_dim: Count = 64
    als_unobserved_weight: Positive = 0.3
    als_regularisation: Positive = 0.01
    seed: Seed = 0


class EvaluateSettings(Settings):
    """`[evaluate]`: which figures."""

    ks: Annotated[list[Count], Field(min_length=1)] = [10, 100]
    n_resamples: Annotated[int, Field(ge=10)] = 1000
    seed: Seed = 0


class RegisterSettings(Settings):
    """`[register]`: under which name in MLflow."""

    experiment: Text | None = None
    model_name: Text | None = None
