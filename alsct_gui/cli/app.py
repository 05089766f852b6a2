"""The commands of `alsct`, and the one place where errors become exit codes."""

from __future__ import annotations

import importlib
import os
import sys
import traceback

import typer

from alsct_gui.cli.console import err, show_error
from alsct_gui.model.errors import AlsctError, UsageError

app = typer.Typer(
    name="alsct",
    help="From a raw micro-CT scan to slices one can trust.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

COMMANDS = (
    "info",
    "check",
    "center",
    "preview",
    "sweep",
    "recon",
    "runs",
    "agent",
    "catalog",
    "replay",
    "convert",
    "step",
    "simulate",
    "facility",
    "engines",
    "bench",
    "demo",
)
"""In the order in which a person meets them; each is a module beside this one."""

INTERNAL_ERROR = 70
INTERRUPTED = 130

for _name in COMMANDS:
    _command = getattr(importlib.import_module(f"alsct_gui.cli.{_name}"), _name)
    if isinstance(_command, typer.Typer):
        app.add_typer(_command)
    else:
        app.command(_name)(_command)


def run(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code (docs/command-line.md)."""
    words = sys.argv[1:] if arguments is None else arguments
    sys.exit(_exit_code(words))


def _exit_code(words: list[str]) -> int:
    as_json = "--json" in words
    try:
        code = app(words, prog_name="alsct", standalone_mode=False)
    except AlsctError as error:
        show_error(error, as_json=as_json)
        return error.exit_code
    except typer.TyperException as error:
        fix = "See alsct --help, or alsct COMMAND --help"
        show_error(UsageError(error.format_message().rstrip("."), fix=fix), as_json=as_json)
        return UsageError.exit_code
    except (KeyboardInterrupt, typer.Abort):
        err.print("alsct: stopped", style="yellow")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has left (`alsct info … | head`): no need for words.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - a mistake of the program itself, said as such
        if os.environ.get("ALSCT_DEBUG"):
            traceback.print_exc()
        kind = type(error).__name__
        show_error(
            AlsctError(
                f"a mistake in the program ({kind}: {error})",
                fix="Set ALSCT_DEBUG=1 and run it again to see where, and report that",
            ),
            as_json=as_json,
        )
        return INTERNAL_ERROR
    return code if isinstance(code, int) else 0
