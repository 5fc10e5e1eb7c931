"""The Python door: fit a log in memory, ask, save. No run folder, no profile, no tracking."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.candidates.candidate_search import CandidateSearch, SearchPlan
from recsys.candidates.seen import SeenByUser
from recsys.candidates.sources.two_tower import TwoTowerSource
from recsys.core.columns import ITEM_ID, TIMESTAMP, USER_ID
from recsys.core.errors import ArtefactError, ConfigError, DataError, NotFittedError
from recsys.core.facts import as_table
from recsys.core.files import MANIFEST, hash_folder, publish_folder, read_json, write_array, write_json
from recsys.core.knobs import check_values, knobs_of, take
from recsys.data.files import AttributeColumns
from recsys.data.frames import as_polars, check_columns, check_names, ids_of, read_tables
from recsys.data.interactions import clean_interactions
from recsys.data.schema import RawTables, check_sides
from recsys.data.vocabulary import Vocabulary, fit_users
from recsys.features.facts import PairsFacts
from recsys.features.prepared import PairSettings, Prepared, prepare
from recsys.features.sentence_encoder import SentenceEncoder
from recsys.features.text_encoder import TextEncoder
from recsys.index.exact import ExactIndex
from recsys.index.published import build_index
from recsys.inference.embedding import embed_items, embed_users, item_norms
from recsys.models.checkpoint import write_tensors
from recsys.models.features import features_of
from recsys.models.two_tower import TwoTower
from recsys.sampling.batches import Histories
from recsys.serving.answers import Answers
from recsys.serving.opened_run import open_run
from recsys.serving.retriever import Retriever
from recsys.splits.leave_last_out import split_leave_last_out
from recsys.training.build import TrainingData, build_trainer, prepare_machine
from recsys.training.resume import EpochRecord
from recsys.training.settings import TRAIN_KNOBS, TrainingSettings, training_settings
from recsys.training.text_towers import fit_text_towers

_FILE = "recommender.json"
_FEWEST_EVENTS = 3
_OF_PAIRS = {name: each for name, each in knobs_of(PairSettings).items() if name != "seed"}


class Recommender:
    """A contrastive two-tower recommender.

    >>> model = Recommender(dim=64, n_epochs=4).fit(log, items=items)  # doctest: +SKIP
    >>> model.recommend(["42"], k=10)  # doctest: +SKIP

    Args:
        settings: Any of the settings of `[train]` and `[pairs]` in `docs/configuration.md`; what is left out keeps its default.

    Raises:
        ConfigError: A setting is unknown or out of range; the message names it, the rule and the nearest known name.
    """

    def __init__(self, **settings: Any) -> None:
        checked = check_values(settings, {**TRAIN_KNOBS, **_OF_PAIRS}, where="")
        of_training = {name: value for name, value in checked.items() if name in TRAIN_KNOBS}
        self._settings: TrainingSettings = training_settings(of_training)
        self._pairs = take(PairSettings, checked | {"seed": self._settings.loop.seed})
        self._answers: Answers | None = None
        self._fitted: _Fitted | None = None
        self._loaded_from: Path | None = None
        self._kinds: dict[str, str] = {}
        self._wants_pandas = False
        self.epochs: list[EpochRecord] = []

    def __repr__(self) -> str:
        knobs, values = self._settings.knobs, self._settings.values
        changed = {name: values[name] for name, each in knobs.items() if values[name] != each.default}
        shown = ", ".join(f"{name}={value!r}" for name, value in changed.items())
        return f"Recommender({shown}){'' if self._answers is None else ', fitted'}"

    def fit(
        self,
        log: Any,
        *,
        items: Any = None,
        users: Any = None,
        columns: Mapping[str, str] | None = None,
        item_attributes: AttributeColumns | None = None,
        user_attributes: AttributeColumns | None = None,
        validation: bool = True,
        on_epoch: Callable[[EpochRecord], None] | None = None,
    ) -> "Recommender":
        """Learn from a log.

        Args:
            log: A polars or pandas frame, one row an event: user_id, item_id and, if known, timestamp. Without timestamps the
                order of the rows is the order of the events; with them, a user's events of one moment are a set, unless the
                order of their rows is found to mean something (see `recsys.data.ties`).
            items: What is known of items: item_id and attributes. Of which kind a column is is guessed unless it is said.
            users: What is known of users: user_id and attributes; inputs if `user_attributes=True` is among the settings.
            columns: Our column name to the frames' name, such as `{"user_id": "customer"}`.
            item_attributes: Which columns of items hold text, categories, numbers or times.
            user_attributes: Which columns of users do.
            validation: Whether each user's last event tells when to stop; lists are made from all events either way.
            on_epoch: Called with the record of each epoch.

        Returns:
            Itself.

        Raises:
            SchemaError: A column is missing or of a type that cannot be what it must be.
            DataError: There is nothing to learn from.
        """
        names, own = check_names(columns), as_polars(log, name="log")
        tables, has_time = read_tables(
            own, items=items, users=users, columns=names, item_attributes=item_attributes, user_attributes=user_attributes
        )
        cleaning = clean_interactions(
            tables.interactions,
            min_user_interactions=1,
            min_item_interactions=1,
            missing_ids="stop",
            ties="auto",
            seed=self._settings.loop.seed,
        )
        check_sides(cleaning.interactions, tables)
        are_sets = cleaning.ties == "sets"
        train, held_out = _hold_out(cleaning.interactions, validation=validation, by_moment=are_sets)
        device = prepare_machine(self._settings.machine)
        prepared = _prepare(train, held_out, tables, self._pairs, are_sets=are_sets)
        data = _training_data(prepared, has_time=has_time)
        trainer = build_trainer(self._settings, data, device=device)
        epochs = []
        for record in trainer.fit():
            epochs.append(record)
            if on_epoch is not None:
                on_epoch(record)
        items_encoded = embed_items(trainer.model, device=device, dtype=trainer.dtype)
        fit_text_towers(
            trainer.model,
            items_encoded,
            prepared.search_text,
            prepared.counts,
            seed=self._settings.loop.seed,
            device=device,
            holds_out=False,
        )
        everybody = np.arange(data.histories.n_users)
        user_vectors = embed_users(
            trainer.model, data.histories, everybody, held_out="test", batch_tokens=16_384, device=device, dtype=trainer.dtype
        )
        self._fitted = _Fitted(
            prepared=prepared,
            tables=tables,
            histories=data.histories,
            towers=_on_the_cpu(trainer.model, data),
            item_vectors=items_encoded,
            user_vectors=user_vectors,
            has_time=has_time,
        )
        self._answers, self._loaded_from, self.epochs = Answers(self._fitted), None, epochs
        self._kinds = {ours: str(own.schema[names.get(ours, ours)]) for ours in (USER_ID, ITEM_ID)}
        self._wants_pandas = not isinstance(log, pl.DataFrame | pl.LazyFrame)
        return self

    def recommend(
        self,
        users: Any = None,
        *,
        k: int = 10,
        history: Sequence[Any] | None = None,
        attributes: Mapping[str, str] | None = None,
        only: Mapping[str, Sequence[str]] | None = None,
        deny: Sequence[Any] = (),
    ) -> Any:
        """The best items that are new to each of some users, or to one new user by a history or attributes.

        Args:
            users: User ids, or a frame with user_id. One without a history gets the most popular items, and `source` says
                `fallback`.
            k: Length of the lists.
            history: Instead of users: items that a new user took, oldest first.
            attributes: Instead of both: values by column of the users' table.
            only: For a category column of items, values of which an item needs at least one.
            deny: Items to leave out.

        Returns:
            A frame: user_id (null for a new user), item_id, rank from 1, score, source; ids as they came in.

        Raises:
            NotFittedError: Nothing was fitted or loaded.
            DataError: Nothing is known of a history, or k is larger than the catalogue.
        """
        asked = None if users is None else ids_of(users, USER_ID)
        past = None if history is None else ids_of(history, ITEM_ID)
        left_out = ids_of(deny, ITEM_ID)
        found = self._ask("recommend").recommend(asked, k=k, history=past, attributes=attributes, only=only, deny=left_out)
        return self._as_asked(found)

    def similar(self, item: Any, *, k: int = 10) -> Any:
        """The items nearest to one item: item_id, rank, score, and what is known of them.

        Raises:
            DataError: The item is unknown, or k is larger than the catalogue.
        """
        return self._as_asked(self._ask("similar").similar(*ids_of([item], ITEM_ID), k=k))

    def search(self, text: str, *, k: int = 10, only: Mapping[str, Sequence[str]] | None = None) -> Any:
        """The items that a text describes best: item_id, rank, score, and what is known of them.

        Raises:
            DataError: No word of the text occurs in the texts of the items.
            ArtefactError: There were no texts of items to learn from.
        """
        return self._as_asked(self._ask("search").search(text, k=k, only=only))

    def explain(self, user: Any, item: Any, *, k: int = 5) -> Any:
        """Because of what: the items of a history without which the score of an item would fall most.

        Returns:
            item_id, fall, without, score, and what is known of the items; see `Answers.explain`.

        Raises:
            DataError: The user or the item is unknown.
        """
        return self._as_asked(self._ask("explain").explain(*ids_of([user], USER_ID), *ids_of([item], ITEM_ID), k=k))

    def evaluate(self, held_out: Any, *, k: int = 10, columns: Mapping[str, str] | None = None) -> Any:
        """How good the lists are on events later than all that was fitted on: metric, value, low, high, n_users.

        Args:
            held_out: A frame with user_id and item_id.
            k: Length of the lists.
            columns: Our column name to the frame's name.

        Raises:
            SchemaError: A column is missing.
            DataError: Nobody can be judged.
        """
        frame, names = as_polars(held_out, name="held_out"), check_names(columns)
        check_columns(frame, names, (USER_ID, ITEM_ID), name="held_out")
        later = pl.DataFrame({ours: ids_of(frame[names.get(ours, ours)], ours) for ours in (USER_ID, ITEM_ID)})
        return self._as_asked(self._ask("evaluate").evaluate(later, k=k, seed=self._settings.loop.seed))

    def save(self, folder: str | PathLike[str]) -> Path:
        """Write the model: a folder that `Recommender.load` and `recsys.open_run` open. It appears whole or not at all.

        Raises:
            NotFittedError: Nothing was fitted.
            ConfigError: There is something else there.
        """
        self._ask("save")
        target = Path(folder)
        if target.exists() and not (target / _FILE).is_file():
            raise ConfigError(
                f"save: {target} must be an earlier model or not there yet, got something else; name another folder"
            )
        if self._fitted is None:
            raise ConfigError(
                f"save: the model must have been fitted here, got one loaded from {self._loaded_from}; copy that folder"
            )
        partial = target.with_name(f".{target.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)  # of a save that was killed
        self._fitted.write(partial)
        about: dict[str, Any] = {
            "settings": self._settings.as_table(),
            "pairs": {name: getattr(self._pairs, name) for name in _OF_PAIRS},
        }
        about |= {"kinds": self._kinds, "wants_pandas": self._wants_pandas, "files": hash_folder(partial)}
        write_json(partial / _FILE, about)
        publish_folder(partial, target)
        return target

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> "Recommender":
        """Open what `save` wrote.

        Raises:
            ArtefactError: It is no such folder, or a file is not what was saved.
        """
        source = Path(folder)
        if not (source / _FILE).is_file():
            raise ArtefactError(f"{source} must be a saved Recommender, got none; runs are opened by recsys.open_run")
        about = read_json(source / _FILE)
        found = {name: sha for name, sha in hash_folder(source).items() if name != _FILE}
        changed = sorted(set(found.items()) ^ set(about["files"].items()))
        if changed:
            raise ArtefactError(f"{source / changed[0][0]} must be the file that was saved, got another or none; save again")
        model = cls(**about["settings"], **about["pairs"])
        # What was checked is held from now on: another save over the folder must not mix two models.
        model._answers, model._loaded_from = open_run(source).hold(), source
        model._kinds, model._wants_pandas = about["kinds"], about["wants_pandas"]
        return model

    def _ask(self, what: str) -> Answers:
        if self._answers is None:
            raise NotFittedError(
                f"{what}: the model must be fitted first, got one that is not; call fit(log), or Recommender.load"
            )
        return self._answers

    def _as_asked(self, found: pl.DataFrame) -> Any:
        """Ids in the type they came in, if all of them have it, and a frame of the kind that came in."""
        for column, kind in self._kinds.items():
            dtype = getattr(pl, kind, None)
            if column in found.columns and dtype is not None and dtype.is_integer():
                whole = found[column].cast(dtype, strict=False)
                found = found.with_columns(whole) if whole.null_count() == found[column].null_count() else found
        return found.to_pandas() if self._wants_pandas else found


@dataclass(frozen=True, kw_only=True)
class _Fitted:
    """The parts of a model in memory; a shelf for `Answers`."""

    prepared: Prepared
    tables: RawTables
    histories: Histories
    towers: TwoTower
    item_vectors: NDArray[np.float32]
    user_vectors: NDArray[np.float32]
    has_time: bool

    @property
    def users(self) -> Vocabulary:
        return self.prepared.users

    @property
    def items(self) -> Vocabulary:
        return self.prepared.items

    @property
    def counts(self) -> NDArray[np.int64]:
        return self.prepared.counts

    @property
    def encoder(self) -> TextEncoder | SentenceEncoder:
        return self.prepared.encoder

    @property
    def search_columns(self) -> Sequence[str]:
        return self.prepared.search_columns

    @cached_property
    def item_table(self) -> pl.DataFrame:
        ids = pl.DataFrame({ITEM_ID: self.items.ids})
        return ids if self.tables.items is None else ids.join(self.tables.items, on=ITEM_ID, how="full", coalesce=True)

    @cached_property
    def user_table(self) -> pl.DataFrame:
        ids = pl.DataFrame({USER_ID: self.users.ids})
        return ids if self.tables.users is None else ids.join(self.tables.users, on=USER_ID, how="left")

    def retriever(self, *, at_full_length: bool) -> Retriever:
        return self._retriever

    @cached_property
    def _retriever(self) -> Retriever:
        index = ExactIndex(self.item_vectors)
        seen = SeenByUser(item_idx=self.histories.item_idx, offsets=self.histories.offsets)
        search = CandidateSearch(
            SearchPlan(),
            [TwoTowerSource(index=index, users=self.user_vectors)],
            seen=seen,
            n_items=len(self.item_vectors),
            index=index,
        )
        return Retriever(users=self.users, items=self.items, item_vectors=self.item_vectors, search=search)

    def like_items(self, table: pl.DataFrame) -> pl.DataFrame:
        known = self.item_table.schema
        try:
            return table.select(
                pl.col(name).cast(dtype) if name in table.columns else pl.lit(None, dtype).alias(name)
                for name, dtype in known.items()
            )
        except pl.exceptions.PolarsError as error:
            raise DataError(f"new items must have the columns of those fitted on, got: {str(error).splitlines()[0]}") from None

    def _facts(self) -> PairsFacts:
        flat = self.prepared.histories
        n_train = int(self.prepared.counts.sum())
        return self.prepared.facts(
            n_train=n_train,
            n_validation=len(flat.item_idx) - n_train,
            has_time=self.has_time,
            request_time="unknown",
            asked=pl.DataFrame({"request_time": flat.request_time}),
        )

    def write(self, folder: Path) -> None:
        """The same folders as those of a run."""
        pairs, embed = folder / "pairs", folder / "embed"
        self.prepared.write(pairs)
        write_json(pairs / MANIFEST, {"facts": as_table(self._facts())})
        write_tensors(folder / "train" / "model.safetensors", self.towers.state_dict())
        write_json(folder / "train" / "spec.json", self.towers.spec.as_dict())
        write_array(embed / "items.npy", self.item_vectors)
        write_array(embed / "users.npy", self.user_vectors)
        write_array(embed / "item_norms.npy", item_norms(self.towers, device=next(self.towers.parameters()).device))
        build_index(
            folder / "index",
            embed / "items.npy",
            self.user_vectors,
            backend="exact",
            k=min(100, len(self.item_vectors)),
            target_recall=1.0,
            n_queries=1,
            seed=0,
        )
        SearchPlan().write(folder / "retrieve" / "search")
        (folder / "ingest").mkdir()
        self.item_table.write_parquet(folder / "ingest" / "items.parquet")
        self.user_table.write_parquet(folder / "ingest" / "users.parquet")
        reading = {"category_separator": "|", "timestamp_unit": "s", "timestamp_format": None}
        write_json(folder / "config" / "ingest.json", {"settings": reading})


def _hold_out(log: pl.DataFrame, *, validation: bool, by_moment: bool) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Train, and the last event of each user of at least three to validate on; no row where there are none."""
    n_known = pl.col(TIMESTAMP).n_unique() if by_moment else pl.len()
    has_enough = n_known.over(USER_ID) >= _FEWEST_EVENTS
    if not validation or log.filter(has_enough).is_empty():
        return log, log.clear()
    split = split_leave_last_out(log.filter(has_enough), validation=False, by_moment=by_moment)
    rest = log.filter(~has_enough).select(split.train.columns)
    known = pl.concat([split.train, rest]).select(ITEM_ID).unique()
    lost = split.test.join(known, on=ITEM_ID, how="anti").select(USER_ID).unique()
    # An item that only held-out events have would be lost to the lists: the moment with such an event stays in train.
    kept = split.test.join(lost, on=USER_ID, how="semi").select(split.train.columns)
    train = pl.concat([split.train, rest, kept]).sort(USER_ID, TIMESTAMP, maintain_order=True)
    return train, split.test.join(lost, on=USER_ID, how="anti", maintain_order="left")


def _prepare(
    train: pl.DataFrame, held_out: pl.DataFrame, tables: RawTables, settings: PairSettings, *, are_sets: bool
) -> Prepared:
    users = fit_users(train, held_out)
    unknown = pl.lit(-1, pl.Int64)
    asked = pl.DataFrame({USER_ID: users.ids}).with_columns(validation_time=unknown, request_time=unknown)
    nothing = pl.DataFrame(schema={ITEM_ID: pl.String()}), pl.DataFrame(schema={USER_ID: pl.String()})
    return prepare(
        train,
        held_out,
        users=users,
        request_times=asked,
        are_sets=are_sets,
        item_table=nothing[0] if tables.items is None else tables.items,
        user_table=nothing[1] if tables.users is None else tables.users,
        settings=settings,
    )


def _on_the_cpu(model: TwoTower, data: TrainingData) -> TwoTower:
    """The same towers, opened anew: those that were trained may be compiled for another device."""
    towers = TwoTower(model.spec, item_features=data.item_features, user_features=data.user_features)
    towers.load_state_dict({name: tensor.cpu() for name, tensor in model.state_dict().items()})
    return towers.eval()


def _training_data(prepared: Prepared, *, has_time: bool) -> TrainingData:
    flat = prepared.histories
    return TrainingData(
        histories=Histories(**{each.name: getattr(flat, each.name) for each in fields(flat)}),
        item_features=features_of(
            prepared.item_side.categories,
            prepared.item_side.numbers,
            prepared.item_text,
            n_categories=len(prepared.item_side.category_names),
        ),
        user_features=features_of(
            prepared.user_side.categories, prepared.user_side.numbers, None, n_categories=len(prepared.user_side.category_names)
        ),
        log_popularity=prepared.log_q,
        texts=prepared.search_text,
        has_time=has_time,
        knows_request_time=False,
    )
