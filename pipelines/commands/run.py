"""The command `recsys run`: a profile through all stages, as `make run` does, without make and without a checkout."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.options import AsJson, print_json
from pipelines.graph import STAGES, StageNode, is_out_of_date, stages_up_to
from recsys.core.errors import ConfigError

TARGETS = {stage.target: stage.name for stage in STAGES}


def run_command(
    profile: Annotated[str, typer.Argument(help="A profile: your own .toml file, or the name of a shipped one.")],
    until: Annotated[str, typer.Option(help=f"The last thing to make: {', '.join(TARGETS)}.")] = "register",
    protocol: Annotated[str | None, typer.Option(help="Another protocol than the profile's; a run of its own.")] = None,
    root: Annotated[Path, typer.Option(help="The folder of all runs.")] = Path("artifacts"),
    as_json: AsJson = False,
) -> None:
    """Go through the stages of a profile; what is up to date is skipped, what was interrupted goes on."""
    from pipelines.commands.summary import print_summary
    from pipelines.layout import lay_out
    from pipelines.settings.profile import find_profile, read_profile

    if until not in TARGETS:
        raise ConfigError(f"--until must be one of {', '.join(TARGETS)}, got {until!r}; correct it")
    asked, began = read_profile(find_profile(profile)), time.time()
    runs, waiting = list[dict[str, object]](), [protocol]
    while waiting:
        folder, also = lay_out(asked, root, protocol=waiting.pop(0), owner_pid=os.getpid())
        done = [stage.name for stage in stages_up_to(TARGETS[until]) if run_stage(folder, stage, quiet=as_json)]
        runs.append({"run": str(folder), "stages_run": done})
        waiting += also
        if until == "register" and not as_json:
            print_summary(folder, since=began)
    if as_json:
        print_json({"runs": runs})


def run_stage(folder: Path, stage: StageNode, *, quiet: bool = False) -> bool:
    """Run one stage in a process of its own, if it is out of date.

    Args:
        folder: The run folder, laid out and claimed by this process.
        stage: Which one.
        quiet: Whether what it says is kept back.

    Returns:
        Whether it ran.

    Raises:
        SystemExit: It failed, with its exit code; it has said why.
    """
    if not is_out_of_date(folder, stage):
        return False
    command = [sys.executable, "-m", stage.module, str(folder)]
    environment = os.environ | {"RECSYS_OWNER_PID": str(os.getpid())}
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL if quiet else None)
    if done.returncode:
        raise SystemExit(done.returncode if done.returncode > 0 else 128 - done.returncode)
    return True


COMMANDS: dict[str, Callable[..., None]] = {"run": run_command}
