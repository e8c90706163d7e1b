"""What `init` says: what is in the way, what it wrote, and what to type next."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from reconciler.cli.settings import Options
from reconciler.cli.streams import blank, result, say
from reconciler.engine.files import printable_path
from reconciler.engine.init import PreparedRepository, find_git_root
from reconciler.engine.starter_files import PIPELINES

# For the service simulated on this machine; whoever has set one already keeps it.
_PORT: Final = 8118
_SETTINGS: Final = {
    "INFOBIP_BASE_URL": f"http://127.0.0.1:{_PORT}",
    "INFOBIP_API_KEY": "any-key-will-do",
    "COURIER_APP_CODE": "courier-app-code",
}


def show_prepared(options: Options, prepared: PreparedRepository) -> None:
    """Say what is in the way, one line each; or that there is nothing to write."""
    for obstacle in prepared.obstacles:
        path = prepared.directory / obstacle.path
        say(options, "error", f"{path} is in the way: {obstacle.reason}.")
    if not prepared.obstacles and not prepared.files:
        say(options, "info", "Nothing to write: all of it is there already.")


def show_written(
    options: Options, prepared: PreparedRepository, pipelines: str, environ: Mapping[str, str]
) -> None:
    """List the files that were written, and say how to go on."""
    result("\n".join(printable_path(str(path)) for path in prepared.paths))
    blank(options)
    git_root = find_git_root(prepared.directory)
    commands = tuple(_next_commands(options, prepared.directory, git_root, environ))
    lines = "\n".join(f"  {command}" for command in commands)
    say(options, "info", f"Next:\n{lines}", next=commands)
    if pipelines != "none":
        _show_pipelines(options, prepared.directory.resolve(), git_root, PIPELINES[pipelines][1])


def _show_pipelines(options: Options, directory: Path, git_root: Path | None, path: str) -> None:
    say(
        options,
        "info",
        f"Before the pipelines run: {path} says which settings they need, and `state` in "
        "reconciler.yaml must name a state that they share.",
    )
    if git_root is not None and git_root != directory:
        say(
            options,
            "warning",
            f"The repository begins at {git_root}, and pipelines are looked for there only.",
            fix=f"Move {path} there, and let its commands say: reconciler -C "
            f"{shlex.quote(str(directory.relative_to(git_root)))}",
        )


def _next_commands(
    options: Options, directory: Path, git_root: Path | None, environ: Mapping[str, str]
) -> Iterator[str]:
    # From where the shell is, which -C does not move.
    relative = os.path.relpath(directory.resolve(), options.origin)
    if relative != ".":
        yield f"cd {shlex.quote(relative)}"
    if git_root is None:
        yield "git init"
    unset = [name for name in _SETTINGS if not environ.get(name)]
    if "INFOBIP_BASE_URL" in unset:
        yield f"reconciler --quiet sandbox --port {_PORT} &"
    if unset:
        yield f"export {' '.join(f'{name}={_SETTINGS[name]}' for name in unset)}"
    yield "reconciler validate"
    yield "reconciler plan"
