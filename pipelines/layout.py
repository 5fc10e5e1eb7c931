"""The command that `make` calls first: check a profile and lay it out for the stages.

One JSON file a stage is written into `config/` of the run folder, with its settings, the state of the files that it reads and
the hash of its code, only where one of these changed, so that only what depends on it runs again; beside them `rules.mk`, the
graph as make reads it. The run folder and the further protocols of the profile are printed.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.graph import CONFIG, STAGES, make_rules
from pipelines.settings.profile import Profile, choose_protocol, read_profile
from pipelines.settings.retrieve import RetrieveSettings
from recsys.core.errors import ConfigError, RecsysError
from recsys.core.files import write_atomically, write_json
from recsys.core.locks import claim_folder
from recsys.data.scan import find_files
from recsys.training.settings import MODEL_KNOBS


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
    _check_lists(profile.retrieve)
    tables = chosen.model_dump(mode="json", exclude={"name"}, by_alias=True)
    nodes = {node.name: node for node in STAGES}
    for table, settings in tables.items():
        content: dict[str, Any] = {"profile": folder.name, "settings": settings}
        if table in nodes:
            content["code"] = nodes[table].hash_code()
            content["files"] = _file_states([settings[name] for name in nodes[table].files])
            if nodes[table].changes:
                content["files"] |= _file_states([str(path) for path in sorted((folder / "changes").glob("*.parquet"))])
        if table == "pretrain":
            content["model"] = {name: tables["train"][name] for name in MODEL_KNOBS}
        if table in ("retrieve", "baselines"):  # lists are made for what is judged, and for what is published
            content["repeats"] = tables["evaluate"]["repeats"]
        if table == "baselines":
            content["seen"] = tables["retrieve"]["seen"]
        if table == "retrieve":
            content["day"] = _day(profile.retrieve)
        _write_if_changed(folder / CONFIG / f"{table}.json", content)
    rules = folder / CONFIG / "rules.mk"
    if not rules.is_file() or rules.read_text(encoding="utf-8") != make_rules(folder):
        with write_atomically(rules) as partial:
            partial.write_text(make_rules(folder), encoding="utf-8")
    return folder, also


def _write_if_changed(path: Path, content: dict[str, Any]) -> None:
    if not path.is_file() or json.loads(path.read_text(encoding="utf-8")) != content:
        write_json(path, content)


def _check_lists(settings: RetrieveSettings) -> None:
    """A missing file stops before any work."""
    for name in ("users", "allow", "deny"):
        path = getattr(settings, name)
        if path is not None and not Path(path).is_file():
            raise ConfigError(f"retrieve.{name} must name a file of ids, got none at {path}; correct the profile")


def _day(settings: RetrieveSettings) -> str | None:
    """Rules about time that apply now make other candidates tomorrow."""
    has_rule = settings.available_from or settings.available_until or settings.min_age_days
    return datetime.now(UTC).date().isoformat() if has_rule and settings.now is None else None


def _file_states(named: list[str | None]) -> dict[str, list[int]]:
    """Size and time of change of the local files, so that a changed file is read again."""
    paths = [path for path in named if path and "://" not in path]
    files = [file for path in paths for file in find_files(path)]
    return {str(file): [file.stat().st_size, file.stat().st_mtime_ns] for file in files}


def main(arguments: Sequence[str] | None = None) -> None:
    """`python -m pipelines.layout PROFILE.toml`."""
    parser = argparse.ArgumentParser(description="Check a profile and lay it out for the stages.")
    parser.add_argument("profile", type=Path)
    parser.add_argument("--root", type=Path, default=Path("artifacts"))
    parser.add_argument("--protocol")
    parser.add_argument("--owner-pid", type=int, default=None)
    asked = parser.parse_args(arguments)
    try:
        profile = read_profile(asked.profile)
        folder, also = lay_out(profile, asked.root, protocol=asked.protocol, owner_pid=asked.owner_pid)
    except (RecsysError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    print(os.fspath(folder), *also)


if __name__ == "__main__":
    main()
