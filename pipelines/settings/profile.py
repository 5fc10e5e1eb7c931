"""A profile: all tables in one TOML file, checked whole, each fault in one sentence."""

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationError, model_validator

from pipelines.settings.baselines import BaselinesSettings
from pipelines.settings.embed import EmbedSettings
from pipelines.settings.evaluate import EvaluateSettings
from pipelines.settings.index import IndexSettings
from pipelines.settings.ingest import IngestSettings
from pipelines.settings.pairs import PairsSettings
from pipelines.settings.register import RegisterSettings
from pipelines.settings.retrieve import RetrieveSettings
from pipelines.settings.split import SplitSettings
from pipelines.settings.study import StudySettings
from pipelines.settings.table import Settings
from pipelines.settings.train import KNOB_FAULT, PretrainTable, TrainTable
from pipelines.settings.tune import TuneSettings
from recsys.baselines.facts import BASELINES
from recsys.core.errors import ConfigError
from recsys.core.knobs import unknown_key
from recsys.splits.facts import Seen
from recsys.training.settings import pretraining_settings, training_settings

_SHIPPED = Path(__file__).parent.parent / "configs"


class Profile(Settings):
    """One TOML file."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    ingest: IngestSettings
    split: SplitSettings = SplitSettings()
    pairs: PairsSettings = PairsSettings()
    pretrain: PretrainTable = pretraining_settings()
    train: TrainTable = training_settings()
    embed: EmbedSettings = EmbedSettings()
    index: IndexSettings = IndexSettings()
    retrieve: RetrieveSettings = RetrieveSettings()
    baselines: BaselinesSettings = BaselinesSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    registration: RegisterSettings = Field(default=RegisterSettings(), alias="register")
    tune: TuneSettings = TuneSettings()
    study: StudySettings = StudySettings()

    @model_validator(mode="after")
    def _tables_fit_each_other(self) -> "Profile":
        if self.name in ("raw", "mlflow", "benchmarks"):
            raise ValueError(f"name must not be one of raw, mlflow, benchmarks, got {self.name}")
        for table in ("retrieve", "baselines"):
            k, longest = getattr(self, table).k, max(self.evaluate.lengths(longest=1))
            if k < longest:
                raise ValueError(f"evaluate.k and evaluate.ks must not exceed k in [{table}], got {longest} and {k}")
        named = set() if self.retrieve.sources == "auto" else set(self.retrieve.sources) & set(BASELINES)
        if missing := sorted(named - set(self.baselines.names)):
            raise ValueError(
                f"retrieve.sources must name baselines of [baselines] names, got {', '.join(missing)}, which is left out"
            )
        read = self.ingest
        known = {*read.item_categories, *read.item_numbers, *read.user_categories, *read.user_numbers}
        if read.source == "files" and (unknown := [name for name in self.evaluate.segments if name not in known]):
            raise ValueError(
                f"evaluate.segments must be of the categories and numbers that [ingest] reads, got {unknown[0]!r}; "
                f"there are: {', '.join(sorted(known)) or 'none'}"
            )
        if self.embed.cold_items and not self.pairs.search_dim:
            raise ValueError("embed.cold_items must be false where pairs.search_dim is 0: such items are placed by their texts")
        window, most = self.pretrain.loop.window_length, self.train.model.history_length
        if self.pretrain.loop.n_epochs and window is not None and window > most:
            raise ValueError(f"pretrain.window_length must be at most train.history_length, got {window} and {most}")
        return self


def read_profile(path: Path) -> Profile:
    """Read and check one profile; relative paths in it are read from its own folder.

    Raises:
        ConfigError: It is missing, no TOML, or breaks a rule; the message names the key, the rule and the value.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"{path} must be a profile, got no such file; shipped ones: {', '.join(shipped_profiles())}"
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} must be TOML, got: {error}") from None
    try:
        profile = Profile.model_validate(table)
    except ValidationError as error:
        raise ConfigError(f"{path}: {explain(error)}") from None
    paths = {name: _absolute(getattr(profile.ingest, name), path.parent) for name in ("interactions", "items", "users")}
    lists = {name: _absolute(getattr(profile.retrieve, name), path.parent) for name in ("users", "allow", "deny")}
    ingest, retrieve = profile.ingest.model_copy(update=paths), profile.retrieve.model_copy(update=lists)
    return profile.model_copy(update={"ingest": ingest, "retrieve": retrieve})


def find_profile(name: str) -> Path:
    """The file that is meant: a path, or the name of a shipped profile."""
    path = Path(name)
    shipped = _SHIPPED / f"{name}.toml"
    return shipped if not path.suffix and not path.exists() and shipped.is_file() else path


def choose_protocol(profile: Profile, protocol: str) -> Profile:
    """The same profile under one protocol and no further ones.

    Raises:
        ConfigError: The other settings of `[split]` do not allow it.
    """
    table = profile.model_dump(by_alias=True)
    try:
        return Profile.model_validate(table | {"split": table["split"] | {"protocol": protocol, "also": []}})
    except ValidationError as error:
        raise ConfigError(f"PROTOCOL={protocol}: {explain(error)}") from None


def choose_cut(profile: Profile, *, test_days: float, days_left_out: float, seen: Seen) -> Profile:
    """The same profile as of some days before the end of the log, under the temporal protocol, with a name of its own.

    Args:
        profile: Any.
        test_days: Of the test window.
        days_left_out: At the end of the log.
        seen: Whether lists hold what was taken before: what is compared must be of one kind.

    Raises:
        ConfigError: The other settings do not allow it.
    """
    changes = {
        "split": {"protocol": "temporal", "also": [], "test_days": test_days},
        "ingest": {"days_left_out": days_left_out},
        "retrieve": {"seen": seen},
    }
    table = profile.model_dump(by_alias=True)
    changed = {name: table[name] | change for name, change in changes.items()}
    name = f"{profile.name}-{days_left_out:g}-days-before"
    try:
        return Profile.model_validate(table | changed | {"name": name})
    except ValidationError as error:
        raise ConfigError(f"backtest: {explain(error)}") from None


def read_shipped(name: str) -> Profile:
    """Read one of the profiles that come with the project."""
    return read_profile(_SHIPPED / f"{name}.toml")


def shipped_profiles() -> list[str]:
    """Names that `PROFILE=` takes."""
    return sorted(path.stem for path in _SHIPPED.glob("*.toml"))


def _absolute(location: str | None, folder: Path) -> str | None:
    if location is None or "://" in location:
        return location
    return str((folder / location).resolve())


def explain(error: ValidationError) -> str:
    """All faults in one line: key, rule, value."""
    faults = []
    for fault in error.errors():
        key = ".".join(str(part) for part in fault["loc"]) or "profile"
        match fault["type"]:
            case "extra_forbidden":
                table, _, name = key.rpartition(".")
                faults.append(unknown_key(f"{table}." if table else "", name, _keys_of(table)))
            case fault_type if fault_type == KNOB_FAULT:
                faults.append(fault["ctx"]["fault"])
            case "missing":
                faults.append(f"{key} must be given, got nothing")
            case "value_error":
                faults.append(f"{key}: {fault['ctx']['error']}")
            case _:
                rule = fault["msg"].replace("Input should be", "must be").replace("String should", "must")
                faults.append(f"{key} {rule[0].lower() + rule[1:]}, got {fault['input']!r}")
    return "; ".join(faults)


def _keys_of(table: str) -> list[str]:
    """The keys of a table of a profile, or of the profile itself."""
    names = {each.alias or name: each.annotation for name, each in Profile.model_fields.items()}
    kind = names.get(table)
    return list(getattr(kind, "model_fields", {}) if table else names)
