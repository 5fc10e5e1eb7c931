"""The command `recsys doctor`: is this machine ready?"""

import importlib.metadata
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import typer

from pipelines.commands.options import AsJson, console, print_json


def doctor(as_json: AsJson = False) -> None:
    """Check Python, packages, processor, disk and data, and say what to do where something is wrong."""
    from pipelines.settings.profile import shipped_profiles
    from recsys.inference.precision import choose_device, choose_dtype

    device = choose_device("auto")
    version, free = sys.version_info[:2], shutil.disk_usage(Path.cwd()).free / 1e9
    data_dir = os.environ.get("RECSYS_DATA_DIR")
    checks = {
        "python": (f"{version[0]}.{version[1]}", (3, 11) <= version <= (3, 13), "use Python 3.11 to 3.13"),
        "torch": (importlib.metadata.version("torch"), True, ""),
        "device": (f"{device}, {str(choose_dtype('auto', device)).removeprefix('torch.')}", True, ""),
        "processors": (str(os.cpu_count()), True, ""),
        "free disk": (f"{free:.1f} GB", free > 2, "make room: a run needs about 1 GB"),
        "make": (shutil.which("make") or "missing: recsys run does the same without", True, ""),
        "data folder": (
            data_dir or "not set: data are fetched",
            data_dir is None or Path(data_dir).is_dir(),
            "correct RECSYS_DATA_DIR",
        ),
        "tracking": (os.environ.get("MLFLOW_TRACKING_URI", "sqlite in artifacts/"), True, ""),
        "profiles": (", ".join(shipped_profiles()), bool(shipped_profiles()), "install with the configs"),
    }
    if as_json:
        print_json({name: {"found": found, "ok": ok} for name, (found, ok, _) in checks.items()})
    else:
        for name, (found, ok, remedy) in checks.items():
            mark = "[green]ok[/green]  " if ok else "[red]bad[/red] "
            console.print(f"{mark}{name:<12} {found}{'' if ok else f'; {remedy}'}", soft_wrap=True)
    if not all(ok for _, ok, _ in checks.values()):
        raise typer.Exit(1)


COMMANDS: dict[str, Callable[..., None]] = {"doctor": doctor}
