"""The console command `recsys`: run a profile, ask a finished run, look after what it published.

Each command imports what it needs when it is called, so that those that need no model start at once.
"""

import json
import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from pipelines.commands import ask, backtest, catalogue, compare, doctor, new, run, sets, summary, vectors
from recsys.core.errors import ConfigError, RecsysError

app = typer.Typer(
    no_args_is_help=True,
    help="Run a profile, ask a finished run, look after what it published.",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(is_asked: bool) -> None:
    if is_asked:
        import recsys

        print(f"recsys {recsys.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Options of all commands."""


for module in (run, backtest, new, ask, vectors, sets, compare, catalogue, summary, doctor):
    for name, command in module.COMMANDS.items():
        app.command(name=name)(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; errors of users end in one sentence, or with `--json` in JSON, and exit code 2.

    Args:
        arguments: Those of the command line if left out.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        app(args=given, prog_name="recsys")
    except RecsysError as error:
        _refuse(error, as_json="--json" in given)
    except OSError as error:
        if error.filename is None:
            raise
        told = ConfigError(f"{error.filename} must be readable and writable, got: {error.strerror}; name another or mend it")
        _refuse(told, as_json="--json" in given)


def _refuse(error: RecsysError, *, as_json: bool) -> NoReturn:
    if as_json:
        print(json.dumps({"error": str(error), "kind": type(error).__name__}, ensure_ascii=False))
    else:
        Console(stderr=True, highlight=False).print(f"error: {error}", style="red", markup=False, soft_wrap=True)
    raise SystemExit(2) from None


if __name__ == "__main__":
    main()
