"""`python -m tests.soak.replay FILE`: run the case of a failure again, and print what breaks.

The case is the same, byte by byte; what two processes and the wire do at the same time is not.
"""

from __future__ import annotations

import sys
from pathlib import Path

from .campaign import judged, read


def main(arguments: list[str]) -> int:
    """Return 1 if a promise is broken, 0 if none is, 64 for wrong usage."""
    if len(arguments) != 1:
        sys.stderr.write("Usage: python -m tests.soak.replay FILE\n")
        return 64
    ended = judged(read(Path(arguments[0])))
    for run in () if ended.story is None else ended.story.runs:
        seconds, ended_by = run.ended - run.began, f", {run.signal}" if run.signals else ""
        sys.stdout.write(f"{run.said}: exit {run.exit}, {seconds:.1f} s{ended_by}\n")
    for what in ended.broken:
        sys.stdout.write(f"broken: {what}\n")
    if not ended.broken:
        sys.stdout.write("All promises were kept.\n")
    return 1 if ended.broken else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
