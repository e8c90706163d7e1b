"""`reconciler sandbox`: the service, simulated, on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.exit_codes import ExitCode, Stop
from reconciler.cli.settings import Options
from reconciler.cli.streams import result, say
from reconciler.core.suggestion import hint
from reconciler.engine.errors import InvalidDocument, UnreadableFile

if TYPE_CHECKING:
    from reconciler.sandbox.launch import World


class _SandboxCommand(click.Command):
    """Its help lists every assumption, from their own table."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from reconciler.sandbox.launch import readings_by_assumption

        readings = readings_by_assumption()
        width = max(map(len, readings))
        with formatter.section("What --assume takes, the default first"):
            for name, known in readings.items():
                # Not wrapped: a reading that is broken at its dashes cannot be copied.
                formatter.write(f"  {name:{width}}  {' | '.join(known)}\n")
        super().format_epilog(ctx, formatter)


@click.command(
    "sandbox",
    cls=_SandboxCommand,
    epilog="""
\b
Examples:
  reconciler sandbox --port 8080 --people 1000
  reconciler sandbox --world examples/courier-fleet/sandbox-world.json
  reconciler sandbox --assume detach=keeps --assume anonymous-owner=404
\b
Faults are OPERATION:EFFECT[@WHEN][,OPTION]...; the first one that a call meets happens:
  OPERATION  get update personalize depersonalize persons applications match token
             | reads | writes | any
  EFFECT     a status (503, 429, 401, 302 ...) | hang | reset | truncate | empty | garbage
             html | wrong-type | drip | delay | rival | appear | vanish
  WHEN       @5% of the calls, @#7 the seventh, @#7-9, @#7+; left out: always
  OPTION     after: the call is carried out first    retry-after=2, retry-after=date:2
             seconds=S: hang, drip, delay            html: a status with a page of HTML
             device=ID: only calls about it          set=JSON: what a rival changes
\b
  reconciler sandbox --fault get:503@5%
  reconciler sandbox --fault update:429@#7-9,retry-after=2 --fault any:reset@1%
  reconciler sandbox --fault personalize:hang@#1,after
\b
The same while it runs:
  curl -X PUT $INFOBIP_BASE_URL/_sandbox/faults -d '{"faults": ["get:503@5%"]}'
\b
The app, or a colleague, changes a device behind your back:
  curl -X PUT $INFOBIP_BASE_URL/_sandbox/registrations/ID -d '{"isPrimary": false}'
""",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Listen on this port.  [default: any free one]",
)
@click.option(
    "--world",
    "world_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Start from the people and registrations of a file.",
)
@click.option("--people", type=click.IntRange(0), help="Start from a generated world of so many.")
@click.option(
    "--assume",
    "assumed",
    metavar="NAME=VALUE",
    multiple=True,
    help="Choose a reading of what nobody knows about the service, see below; repeatable.",
)
@click.option(
    "--fault",
    "faults",
    metavar="SPEC",
    multiple=True,
    help="Let calls go wrong, see below; repeatable.",
)
@click.option(
    "--fault-seed",
    type=int,
    metavar="N",
    default=0,
    help="Decides which calls a share such as @5% means, and the jitter.  [default: 0]",
)
@click.option(
    "--latency",
    type=click.FloatRange(0, 60_000),
    metavar="MS",
    default=0.0,
    help="Let each call take so many milliseconds.  [default: 0]",
)
@click.option(
    "--jitter",
    type=click.FloatRange(0, 60_000),
    metavar="MS",
    default=0.0,
    help="Add up to so many, by chance, to each way of a call.  [default: 0]",
)
@click.option("--no-limits", is_flag=True, help="Answer as fast as the machine can.")
@click.pass_obj
def command(
    options: Options,
    port: int,
    world_file: Path | None,
    people: int | None,
    assumed: tuple[str, ...],
    faults: tuple[str, ...],
    fault_seed: int,
    latency: float,
    jitter: float,
    no_limits: bool,
) -> None:
    """Serve the API, simulated, on 127.0.0.1 until Ctrl-C; no account needed.

    Any non-empty credential is accepted. GET /_sandbox/world shows the world as it is,
    GET /_sandbox/calls the calls that were made, GET /_sandbox/faults what went wrong so far.
    """
    if world_file is not None and people is not None:
        raise click.UsageError("--world and --people exclude each other.")
    readings = _read_assumptions(assumed)
    _check_faults(faults)
    world = None if world_file is None else _read_world(world_file)
    from reconciler.sandbox.account import SandboxOptions
    from reconciler.sandbox.launch import DEFAULT_LIMITS, application_codes
    from reconciler.sandbox.serve import serve

    def ready(url: str) -> None:
        result(url)
        say(options, "info", _how_to_use(url, application_codes(world)), url=url)

    chosen = SandboxOptions(
        port=port,
        world=world,
        people=100 if people is None else people,
        assume=readings,
        limits=None if no_limits else DEFAULT_LIMITS,
        latency=latency / 1000,
        jitter=jitter / 1000,
        faults=faults,
        fault_seed=fault_seed,
    )
    try:
        serve(chosen, ready)
    except ValueError as error:
        raise click.UsageError(f"--people: {error}.") from None
    except OSError as error:
        raise Stop(
            ExitCode.ERROR,
            f"Port {port} cannot be used: {(error.strerror or 'unknown').lower()}.",
            "Choose another one, or leave --port out for any free one.",
        ) from None
    say(options, "info", "The sandbox has ended; its world is gone.")


def _read_assumptions(assumed: tuple[str, ...]) -> dict[str, str]:
    from reconciler.sandbox.launch import readings_by_assumption

    known = readings_by_assumption()
    chosen: dict[str, str] = {}
    for text in assumed:
        name, _, reading = text.partition("=")
        if name not in known:
            help_ = hint(name, known) or f" They are: {', '.join(known)}."
            raise click.UsageError(f"--assume {text}: there is no assumption {name!r}.{help_}")
        if reading not in known[name]:
            readings = ", ".join(known[name])
            raise click.UsageError(f"--assume {text}: {name} is one of: {readings}.")
        chosen[name] = reading
    return chosen


def _check_faults(faults: tuple[str, ...]) -> None:
    from reconciler.sandbox.spec import read_fault

    for spec in faults:
        try:
            read_fault(spec)
        except ValueError as error:
            raise click.UsageError(f"--fault {error}.") from None


def _read_world(file: Path) -> World:
    from reconciler.engine.files import read_file
    from reconciler.sandbox.launch import decode_world

    data = read_file(file)
    if not isinstance(data, bytes):
        raise UnreadableFile(f"{file} cannot be read: {data.reason}.")
    try:
        return decode_world(data)
    except ValueError as error:
        raise InvalidDocument(f"{file} is no world: {error}.") from None


def _how_to_use(url: str, codes: tuple[str, ...]) -> str:
    from reconciler.sandbox.serve import environment_variables

    settings = environment_variables(url, codes)
    exports = "\n".join(f"  export {name}={value}" for name, value in settings.items())
    return f"""Serving the simulated service; Ctrl-C ends it. In another terminal:

{exports}
  reconciler plan

Application codes: {", ".join(codes) or "none"}
World and calls:   {url}/_sandbox/world  {url}/_sandbox/calls
"""
