"""What goes where: the result to stdout, everything else to stderr, as text or as JSON lines."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from typing import TextIO

from .exit_codes import ExitCode, Stop
from .settings import Options


def colored(stream: TextIO, options: Options) -> bool:
    """Whether to color a stream: a terminal that can, and nobody said no."""
    wanted = options.color and not os.environ.get("NO_COLOR")
    return wanted and stream.isatty() and os.environ.get("TERM", "") != "dumb"


def write(stream: TextIO, data: str | bytes) -> None:
    """Write and flush. A reader that went away (`| head`) is no error and changes no exit code."""
    try:
        if isinstance(data, bytes):
            stream.flush()
            stream.buffer.write(data)
        else:
            stream.write(data)
        stream.flush()
    except OSError as error:
        # What is still buffered would fail once more when Python closes the stream at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if not isinstance(error, BrokenPipeError):
            reason = f"The output cannot be written: {error.strerror or 'unknown'}."
            raise Stop(ExitCode.ERROR, reason) from None


def write_text(stream: TextIO, text: str | bytes) -> None:
    """Write a text that ends with a newline, whether it does already or not; nothing for none."""
    if isinstance(text, bytes):
        write(stream, text if text.endswith(b"\n") or not text else text + b"\n")
    elif text:
        write(stream, text if text.endswith("\n") else text + "\n")


def result(text: str | bytes) -> None:
    """Write the result of the command, ended by a newline."""
    write_text(sys.stdout, text)


_PAINT = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m", "info": ""}


def say(options: Options, level: str, message: str, **more: object) -> None:
    """Write one message to stderr. `more` stands in the JSON form only, but for `fix`."""
    if options.quiet and level == "info":
        return
    if options.log_json:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line: dict[str, object] = {"time": now, "level": level, "message": message}
        line |= {key: value for key, value in more.items() if value not in (None, "")}
        write(sys.stderr, json.dumps(line, ensure_ascii=False) + "\n")
        return
    label = "" if level == "info" else f"{level}: "
    if label and colored(sys.stderr, options):
        label = f"{_PAINT[level]}{label}\x1b[0m"
    fix = more.get("fix")
    write(sys.stderr, f"{label}{message}\n" + (f"  {fix}\n" if fix else ""))


def blank(options: Options) -> None:
    """Set text messages apart by an empty line."""
    if not options.log_json and not options.quiet:
        write(sys.stderr, "\n")
