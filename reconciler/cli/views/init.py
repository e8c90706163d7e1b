"""The first hour: what `init` writes, what it will not, and what to type next."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from reconciler.cli.exit_codes import ExitCode, Stop
from reconciler.cli.settings import Options
from reconciler.cli.streams import blank, result, say
from reconciler.engine.files import printable
from reconciler.engine.placing_files import plant, planting
from reconciler.engine.starter_files import PIPELINES, starter

# For the service simulated on this machine; whoever has set one already keeps it.
_PORT: Final = 8118
_SETTINGS: Final = {
    "INFOBIP_BASE_URL": f"http://127.0.0.1:{_PORT}",
    "INFOBIP_API_KEY": "any-key-will-do",
    "COURIER_APP_CODE": "courier-app-code",
}


def begin(options: Options, directory: Path, ci: str) -> int:
    """Write the files of a new repository, list them, and say how to go on."""
    if os.path.lexists(directory) and not directory.is_dir():
        raise Stop(ExitCode.ERROR, f"{directory} is no directory.", "Name another one.")
    found = planting(directory, starter(ci))
    if found.obstacles:
        for obstacle in found.obstacles:
            say(options, "error", f"{directory / obstacle.path} is in the way: {obstacle.reason}.")
        raise Stop(
            ExitCode.ERROR,
            "Nothing was written.",
            "Move away what is in the way; or let it be written elsewhere, and take from there "
            "what you need: reconciler init NEW",
        )
    if not found.pieces:
        say(options, "info", "Nothing to write: all of it is there already.")
        return ExitCode.DONE
    plant(found)
    paths = [piece.path for piece in found.pieces]
    result("\n".join(printable(str(directory / path)) for path in paths))
    blank(options)
    _tell(options, directory, ci)
    return ExitCode.DONE


def _tell(options: Options, directory: Path, ci: str) -> None:
    repository = _repository(directory)
    typed = tuple(_next(options, directory, is_in_git=repository is not None))
    lines = "\n".join(f"  {line}" for line in typed)
    say(options, "info", f"Next:\n{lines}", next=typed)
    if ci == "none":
        return
    where = PIPELINES[ci][1]
    say(
        options,
        "info",
        f"Before the pipelines run: {where} says which settings they need, and `state` in "
        "reconciler.yaml must name a record that they share.",
    )
    if repository is not None and repository != directory.resolve():
        say(
            options,
            "warning",
            f"The repository begins at {repository}, and pipelines are looked for there only.",
            fix=f"Move {where} there, and let its commands say: reconciler -C "
            f"{shlex.quote(str(directory.resolve().relative_to(repository)))}",
        )


def _next(options: Options, directory: Path, *, is_in_git: bool) -> Iterator[str]:
    # From where the shell is, which -C does not move.
    away = os.path.relpath(directory.resolve(), options.origin)
    if away != ".":
        yield f"cd {shlex.quote(away)}"
    if not is_in_git:
        yield "git init"
    unset = [name for name in _SETTINGS if not os.environ.get(name)]
    if "INFOBIP_BASE_URL" in unset:
        yield f"reconciler --quiet sandbox --port {_PORT} &"
    if unset:
        yield f"export {' '.join(f'{name}={_SETTINGS[name]}' for name in unset)}"
    yield "reconciler validate"
    yield "reconciler plan"


def _repository(directory: Path) -> Path | None:
    """Return the root of the Git repository that a directory is in."""
    place = directory.resolve()
    return next((one for one in (place, *place.parents) if (one / ".git").exists()), None)
