"""The one question that a command asks: go on? Only "yes" goes on, everything else refuses."""

from __future__ import annotations

import select
import sys

from reconciler.api.breaker import TIMED_OUT, BreakerTripped

from .exit_codes import ExitCode, Stop
from .options.duration import Deadline
from .settings import Options
from .streams import blank


def confirmed(
    options: Options, question: str, without_terminal: str, deadline: Deadline | None = None
) -> None:
    """Return when "yes" was typed; Stop otherwise. `without_terminal` says what to do there.

    GateClosed when the deadline has passed without an answer.
    """
    if not sys.stdin.isatty():
        raise Stop(
            ExitCode.REFUSED,
            "Not confirmed: there is no terminal to ask on. Nothing was changed.",
            without_terminal,
        )
    sys.stderr.write(f'{question} Only "yes" is accepted: ')
    sys.stderr.flush()
    # Nobody may be there; what waits for the answer may hold a lease.
    if deadline is not None and not select.select((sys.stdin,), (), (), deadline.left())[0]:
        blank(options)
        raise BreakerTripped(TIMED_OUT)
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        blank(options)
    if answer.strip() != "yes":
        raise Stop(ExitCode.REFUSED, "Not confirmed. Nothing was changed.")
