"""The entry: options before the command, and one exit code for every way a command can end."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from reconciler import __version__

from .exit_codes import ExitCode, Stop
from .interrupts import ignore_all, treat_sigterm_as_ctrl_c
from .lazy import LazyGroup
from .settings import Options
from .streams import blank, say, write

COMMANDS = {
    "init": "Start a repository that validates and plans at once.",
    "validate": "Check the files; needs neither network nor secrets.",
    "fmt": "Lay the files out canonically; comments and meaning stay.",
    "plan": "Read live state and show what would happen; writes nothing remote.",
    "show": "Show a saved plan.",
    "apply": "Carry out a saved plan; without FILE: plan, ask, apply.",
    "drift": "What others changed since the last apply.",
    "import": "Write manifests of what lives in an application, and adopt it.",
    "state": "Look after the state of what was applied: list, pull, migrate …",
    "sandbox": "Serve the API, simulated, on 127.0.0.1.",
    "demo": "See the whole job on an embedded sandbox, step by step.",
    "explain": "Explain a field of the files, or a diagnostic: devices.owner, E204.",
    "doctor": "Check one by one what plan and apply need; changes nothing.",
    "schema": "Print the JSON Schema of a file format, for your editor.",
    "completion": "Print the completion script of your shell.",
    "version": "Print the version.",
}

EPILOG = """
\b
New here:
  reconciler demo                  the whole job in half a minute, offline
  reconciler validate              what is wrong with my files?
  reconciler plan -o plan.json     what would happen? save it for review
  reconciler apply plan.json       make happen exactly what was reviewed
  reconciler doctor                is everything there that these need?

\b
Exit codes:
  0    done, or nothing to do
  1    error, nothing was changed
  2    --detailed-exitcode: there are changes, or drift
  3    apply incomplete: the table says which operations, and why
  4    refused: a guard, an outdated or foreign plan, or not confirmed
  5    somebody else holds the lock of the state
  64   wrong usage
  130  interrupted
"""


class _Group(LazyGroup):
    lazy = COMMANDS


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        write(sys.stdout, f"reconciler {__version__}\n")
        ctx.exit()


@click.command(
    cls=_Group,
    epilog=EPILOG,
    no_args_is_help=False,
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "-C",
    "directory",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Work in DIR; other file arguments are relative to it.",
)
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The project file. Default: reconciler.yaml here or in a directory above.",
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    help="Messages on stderr as text or as one JSON object a line.",
)
@click.option("-v", "--verbose", is_flag=True, help="Say more, on stderr.")
@click.option("--no-color", is_flag=True, help="No colors; NO_COLOR=1 says the same.")
@click.option("--quiet", is_flag=True, help="Only the result, warnings and errors.")
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version and exit.",
)
@click.pass_context
def cli(
    ctx: click.Context,
    directory: Path | None,
    config: Path | None,
    log_format: str,
    verbose: bool,
    no_color: bool,
    quiet: bool,
) -> int | None:
    """Plan and apply for push device registrations.

    Declare in YAML who owns which device, which one is primary and what data it carries; review
    the plan; make it so. Results go to stdout, everything else to stderr.
    """
    origin = Path.cwd()
    if directory is not None:
        os.chdir(directory)
    ctx.obj = Options(
        origin=origin,
        directory=Path.cwd(),
        config=config,
        log_json=log_format == "json",
        verbose=verbose,
        color=not no_color,
        quiet=quiet,
        ends_process=ctx.obj is True,
    )
    if no_color:
        ctx.color = False
    if ctx.invoked_subcommand is None:
        write(sys.stderr, ctx.get_help() + "\n")
        return ExitCode.USAGE
    return None


def _options_of(ctx: click.Context | None) -> Options:
    options = ctx.find_root().obj if ctx else None
    return options if isinstance(options, Options) else Options(Path(), Path())


def _wrong_usage(error: click.ClickException) -> int:
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    options = _options_of(ctx)
    path = ctx.command_path if ctx else "reconciler"
    message, fix = error.format_message(), f"{path} --help shows how it is used."
    if isinstance(error, click.NoSuchOption) and error.option_name in _options_before_command():
        command = ctx.info_name if ctx else ""
        message = f"The option {error.option_name} stands before the command."
        fix = f"Write: reconciler {error.option_name} {command}"
    say(options, "error", message, fix=fix)
    return ExitCode.USAGE


def _options_before_command() -> frozenset[str]:
    return frozenset(name for parameter in cli.params for name in parameter.opts)


def _our_own_bug(error: BaseException, options: Options) -> int:
    """Report by type and place only: the text of a foreign exception may hold personal data."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if f"{os.sep}reconciler{os.sep}" in frame.filename] or frames
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "?"
    if options.verbose:
        link: BaseException | None = error
        while link is not None:
            stack = "".join(
                traceback.StackSummary.from_list(traceback.extract_tb(link.__traceback__)).format()
            )
            say(options, "info", f"{stack}{type(link).__name__}")
            link = link.__cause__ or link.__context__
    say(
        options,
        "error",
        f"Unexpected {type(error).__name__} at {place}. This is a bug in reconciler.",
        fix="" if options.verbose else "Run it again with -v before the command for a traceback.",
    )
    return ExitCode.ERROR


def _ended_by(error: Exception, options: Options) -> int:
    # Here, because a command that ends well needs none of it.
    from reconciler.core.failures import ReconcilerError

    if not isinstance(error, ReconcilerError):
        return _our_own_bug(error, options)
    from reconciler.engine.errors import Cancelled, FailedMidway

    from .errors import exit_code_of, write_error

    if isinstance(error, FailedMidway):
        _our_own_bug(error.__cause__ or error, options)
    else:
        if isinstance(error, Cancelled):
            blank(options)
        write_error(options, error)
    return exit_code_of(error)


def outcome(arguments: Sequence[str], *, ends_process: bool = False) -> int:
    """Run one command and return its exit code, with which the process ends if that is said."""
    root: list[click.Context] = []
    try:
        with cli.make_context("reconciler", list(arguments), obj=ends_process) as ctx:
            root.append(ctx)
            code = cli.invoke(ctx)
            return code if isinstance(code, int) else ExitCode.DONE
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        return _wrong_usage(error)
    except Stop as stop:
        if stop.message:
            say(_options_of(root[0] if root else None), "error", stop.message, fix=stop.fix)
        return stop.code
    except (KeyboardInterrupt, click.Abort):
        options = _options_of(root[0] if root else None)
        blank(options)
        say(options, "error", "Interrupted.")
        return ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the border: what is no ending is our own bug
        return _ended_by(error, _options_of(root[0] if root else None))


def run() -> NoReturn:
    """Be the process: what `reconciler` and `python -m reconciler` call."""
    # A stream that the caller closed (`>&-`) is None.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115 - open to the end
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # An ASCII terminal gets escapes instead of a crash over a label with an umlaut.
            stream.reconfigure(errors="backslashreplace")
    if "_RECONCILER_COMPLETE" in os.environ:
        cli.main(prog_name="reconciler")
    treat_sigterm_as_ctrl_c()
    code = outcome(sys.argv[1:], ends_process=True)
    write(sys.stdout, "")
    ignore_all()
    _end(int(code))


def _end(code: int) -> NoReturn:
    """End the process at once: an interpreter at its end frees a fleet value by value.

    What others registered for the end is done; where a debugger or profiler looks on, or a thread
    is to be waited for, the process ends in the long way.
    """
    awaited = (one for one in threading.enumerate() if one is not threading.main_thread())
    if sys.gettrace() or sys.getprofile() or not all(one.daemon for one in awaited):
        sys.exit(code)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        write(stream, "")
    os._exit(code)
