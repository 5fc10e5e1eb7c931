"""What every stage does around its work: settings, ownership, progress, an atomic folder, and a manifest written last.

The manifest names settings, facts, seconds, versions, the hash of every output and of every input's manifest.
"""

import argparse
import errno
import importlib.metadata
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from recsys.core.errors import ArtefactError, RecsysError
from recsys.core.facts import F, Facts, as_table, read_facts
from recsys.core.files import MANIFEST, hash_folder, publish_folder, read_json, sha256_of, write_json
from recsys.core.locks import claim_folder

_PACKAGES = ("contrastive-recsys", "torch", "polars", "numpy", "scikit-learn", "annoy", "faiss-cpu", "mlflow")
_NO_ROOM = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
_NO_ROOM_TEXT = re.compile(
    r"no space left|requested and \d+ written|file too large|os error (27|28)\b|disk i/o error|disk is full|disk quota",
    re.IGNORECASE,
)

S = TypeVar("S")
console = Console(stderr=True, highlight=False)


@dataclass(kw_only=True)
class StageRun(Generic[S]):
    """One stage at work.

    Attributes:
        name: The stage.
        run: The run folder, `artifacts/<profile>`.
        settings: The stage's table of the profile.
        folder: Where outputs go; it takes the stage's name once the manifest is in it.
        inputs: The stages read, each with the hash of its manifest.
        config: All of the stage's file below `config/`; the settings are one part of it.
    """

    name: str
    run: Path
    settings: S
    folder: Path
    inputs: dict[str, str] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)

    def read(self, stage: str) -> Path:
        """The folder of a stage before this one; it goes on record as an input.

        Raises:
            ArtefactError: That stage has not run.
        """
        manifest = self.run / stage / MANIFEST
        if not manifest.is_file():
            raise ArtefactError(f"{self.name}: {manifest} must exist, got no such file; run the stage {stage} first")
        self.inputs[stage] = sha256_of(manifest)
        return manifest.parent

    def facts_of(self, stage: str, kind: type[F]) -> F:
        """What a stage before this one told.

        Args:
            stage: Its name.
            kind: The dataclass that it tells.
        """
        return read_facts(self.read(stage), kind)

    def settings_of(self, stage: str) -> dict[str, Any]:
        """The settings of another stage; of what a stage in the graph looks at before long work, the graph tells."""
        settings: dict[str, Any] = read_json(self.run / "config" / f"{stage}.json")["settings"]
        return settings

    def say(self, text: str) -> None:
        """One line for the user."""
        console.print(f"  {text}", markup=False, soft_wrap=True)

    @contextmanager
    def progress(self, what: str, total: int | None) -> Iterator[Callable[[int, str], None]]:
        """A live bar on a terminal, nothing in logs and helping processes; the function takes how much is done and a note."""
        columns = (
            TextColumn("  {task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        is_hidden = not console.is_terminal or os.environ.get("RANK", "0") != "0"
        with Progress(*columns, console=console, transient=True, disable=is_hidden) as bar:
            task: TaskID = bar.add_task(what, total=total, note="")
            yield lambda done, note: bar.update(task, completed=done, note=note)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage(Generic[S]):
    """A stage as a command: `python -m pipelines.stages.<name> artifacts/<profile>`, or a call.

    Attributes:
        name: Of the stage.
        read: From its table, as `config/<name>.json` has it, to its settings.
        work: The stage itself; it returns what it tells the next, or nothing from a process that only helps.
        keep: What of an interrupted run's folder stays there for the next one to resume from.
    """

    name: str
    read: Callable[[dict[str, Any]], S]
    work: Callable[[StageRun[S]], Facts | None]
    keep: str | None = None

    def main(self, arguments: Sequence[str] | None = None) -> None:
        """Parse the run folder, work, publish; errors of users end in one sentence and exit code 2.

        Args:
            arguments: Those of the command line if left out.
        """
        parser = argparse.ArgumentParser(prog=f"python -m pipelines.stages.{self.name}", description=self.work.__doc__)
        parser.add_argument("run", type=Path, help="the run folder, artifacts/<profile>")
        run = parser.parse_args(arguments).run
        try:
            self.run(run)
        except RecsysError as error:
            console.print(f"error: {error}", markup=False, style="red", soft_wrap=True)
            raise SystemExit(2) from None
        except KeyboardInterrupt:
            console.print(f"{self.name}: interrupted; nothing is lost, run the same command again", markup=False)
            raise SystemExit(130) from None
        except Exception as error:
            sentence = _explain(error, self.name, run)
            if sentence is None:
                raise
            console.print(f"error: {sentence}", markup=False, style="red", soft_wrap=True)
            raise SystemExit(2) from None

    def run(self, run: Path) -> None:
        """Work in a folder of its own, and give it the stage's name once it is whole.

        Under torchrun the processes of a rank above 0 help: they work, and write nothing.

        Args:
            run: The run folder, laid out.

        Raises:
            RecsysError: Something a user can mend.
        """
        path, is_main = run / "config" / f"{self.name}.json", os.environ.get("RANK", "0") == "0"
        config, partial = read_json(path), run / f".{self.name}.partial"
        settings = self.read(config["settings"])
        if is_main:
            claim_folder(run, owner_pid=int(os.environ.get("RECSYS_OWNER_PID", os.getpid())))
            partial.mkdir(parents=True, exist_ok=True)
            _clear(partial, self.keep)
            console.print(f"[bold]{self.name}[/bold] [dim]{escape(str(run))}[/dim]", soft_wrap=True)
        stage = StageRun(name=self.name, run=run, settings=settings, folder=partial, config=config)
        config_sha256, began, start_time = sha256_of(path), time.perf_counter(), time.time()
        try:
            facts = self.work(stage)
            if not is_main:
                return
            _write_manifest(
                stage, facts, config_sha256=config_sha256, start_time=start_time, seconds=time.perf_counter() - began
            )
            publish_folder(partial, run / self.name)
        except BaseException:
            if is_main:
                _clear(partial, self.keep)
                if self.keep is None:
                    partial.rmdir()
            raise
        seconds, folder = time.perf_counter() - began, escape(str(run / self.name))
        console.print(f"  [green]done[/green] in {seconds:.1f} s [dim]→ {folder}[/dim]", soft_wrap=True)


def _clear(folder: Path, keep: str | None) -> None:
    for path in folder.iterdir():
        if path.name != keep:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _write_manifest(stage: StageRun[S], facts: Facts | None, *, config_sha256: str, start_time: float, seconds: float) -> None:
    write_json(
        stage.folder / MANIFEST,
        {
            "stage": stage.name,
            "config": stage.config["settings"],
            "config_sha256": config_sha256,
            "facts": {} if facts is None else as_table(facts),
            "start_time": start_time,
            "seconds": round(seconds, 3),
            "versions": {"python": sys.version.split()[0]} | _versions(),
            "outputs": hash_folder(stage.folder),
            "inputs": stage.inputs,
        },
    )


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _explain(error: Exception, name: str, run: Path) -> str | None:
    """What the machine refused, in one sentence; None for a bug, which keeps its traceback."""
    if _is_no_room(error):
        reason = str(error).splitlines()[0]
        return f"{name}: the disk must have room for the outputs in {run}, got: {reason}; make room and run again"
    if isinstance(error, PermissionError):
        return f"{name}: {error.filename} must be readable and writable, got: {error.strerror}; change its permissions"
    return None


def _is_no_room(error: BaseException) -> bool:
    while True:
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            return True
        if _NO_ROOM_TEXT.search(str(error)):
            return True
        behind = error.__cause__ or error.__context__
        if behind is None:
            return False
        error = behind
