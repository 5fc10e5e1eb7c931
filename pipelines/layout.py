"""The command that `make` calls first: check a profile and lay it out for the stages.

One JSON file a stage is written into `config/` of the run folder, only where a value changed, so that only what depends on
it runs again. The run folder and the further protocols of the profile are printed.
"""

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.config import RetrieveSettings
from pipelines.profile import Profile, choose_protocol, read_profile
from pipelines.training_config import ModelSettings
from recsys.core.errors import ConfigError, RecsysError
from recsys.core.files import write_json
from recsys.core.locks import claim_folder
from recsys.data.scan import find_files

_READ_FILES = {"ingest": ("interactions", "items", "users"), "retrieve": ("users", "allow", "deny")}


def lay_out(profile: Profile, root: Path, *, protocol: str | None, owner_pid: int | None) -> tuple[Path, list[str]]:
    """Claim the run folder of a profile and write one JSON file a stage into its `config/`.

    Args:
        profile: A checked profile.
        root: The folder `artifacts`.
        protocol: Another protocol than the profile's; its run folder has it in its name.
        owner_pid: The process that works in the folder from now on; None claims nothing.

    Returns:
        The run folder, and the protocols that the profile wants as well.

    Raises:
        BusyError: Another run is at work in the folder.
        ConfigError: The profile does not allow the protocol, or a list of ids that it names is not there.
    """
    chosen = choose_protocol(profile, protocol or profile.split.protocol)
    is_other = chosen.split.protocol != profile.split.protocol
    folder = root / (f"{profile.name}-{chosen.split.protocol}" if is_other else profile.name)
    if owner_pid is not None:
        claim_folder(folder, owner_pid=owner_pid)
    also: list[str] = [] if is_other else [name for name in profile.split.also if name != profile.split.protocol]
    for stage, settings in chosen.model_dump(mode="json", exclude={"name"}, by_alias=True).items():
        content: dict[str, Any] = {"profile": folder.name, "settings": settings}
        if stage in _READ_FILES:
            content["files"] = _file_states([settings[name] for name in _READ_FILES[stage]])
        if stage == "pretrain":
            content["model"] = chosen.train.model_dump(mode="json", include=set(ModelSettings.model_fields))
        if stage == "retrieve":
            _check_lists(profile.retrieve)
            content["files"] |= _file_states([str(folder / "changes" / "changes.parquet")])
            content["day"] = _day(profile.retrieve)
        path = folder / "config" / f"{stage}.json"
        if not path.is_file() or json.loads(path.read_text(encoding="utf-8")) != content:
            write_json(path, content)
    return folder, also


def _check_lists(settings: RetrieveSettings) -> None:
    """A missing file stops before any work."""
    for name in _READ_FILES["retrieve"]:
        place = getattr(settings, name)
        if place is not None and not Path(place).is_file():
            raise ConfigError(f"retrieve.{name} must name a file of ids, got none at {place}; correct the profile")


def _day(settings: RetrieveSettings) -> str | None:
    """Rules about time that apply now make other candidates tomorrow."""
    has_rule = settings.available_from or settings.available_until or settings.min_age_days
    return datetime.now(UTC).date().isoformat() if has_rule and settings.now is None else None


def _file_states(named: list[str | None]) -> dict[str, list[int]]:
    """Size and time of change of the local files, so that a changed file is read again."""
    places = [place for place in named if place and "://" not in place]
    files = [file for place in places for file in find_files(place)]
    return {str(file): [file.stat().st_size, file.stat().st_mtime_ns] for file in files}


def main() -> None:
    """`python -m pipelines.layout PROFILE.toml`."""
    parser = argparse.ArgumentParser(description="Check a profile and lay it out for the stages.")
    parser.add_argument("profile", type=Path)
    parser.add_argument("--root", type=Path, default=Path("artifacts"))
    parser.add_argument("--protocol")
    parser.add_argument("--owner-pid", type=int, default=None)
    arguments = parser.parse_args()
    try:
        profile = read_profile(arguments.profile)
        folder, also = lay_out(profile, arguments.root, protocol=arguments.protocol, owner_pid=arguments.owner_pid)
    except (RecsysError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    print(os.fspath(folder), *also)


if __name__ == "__main__":
    main()
