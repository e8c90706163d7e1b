"""The one question that a command asks: go on? Only "yes" goes on, everything else refuses."""

from __future__ import annotations

import select
import sys

from reconciler.engine.cancellation import Deadline
from reconciler.engine.errors import NotConfirmed, TimedOut

from .settings import Options
from .streams import blank


def confirmed(
    options: Options, question: str, without_terminal: str, deadline: Deadline | None = None
) -> None:
    """Return when "yes" was typed; else NotConfirmed. `without_terminal` says what to do there.

    TimedOut when the deadline has passed without an answer.
    """
    if not sys.stdin.isatty():
        raise NotConfirmed(
            "Not confirmed: there is no terminal to ask on. Nothing was changed.",
            without_terminal,
        )
    sys.stderr.write(f'{question} Only "yes" is accepted: ')
    sys.stderr.flush()
    # Nobody may be there; what waits for the answer may hold a lock.
    if deadline is not None and not select.select((sys.stdin,), (), (), deadline.left())[0]:
        blank(options)
        raise TimedOut.of_deadline()
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        blank(options)
    if answer.strip() != "yes":
        raise NotConfirmed("Not confirmed. Nothing was changed.")
