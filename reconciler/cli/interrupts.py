"""Ctrl-C and SIGTERM: who answers them, and for how long.

Both raise KeyboardInterrupt, but where a run of the engine can end in order by itself. Handlers are
plain ones (`signal.signal`) and not the event loop's: those forget who answered before them, and
between two runs of a loop a SIGTERM would find nobody and end the process with its lock.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Final, Self

from .exit_codes import ExitCode, Stop
from .settings import Options
from .streams import blank

if TYPE_CHECKING:
    from reconciler.engine.cancellation import Cancellation

_NUMBERS: Final = (signal.SIGINT, signal.SIGTERM)


def treat_sigterm_as_ctrl_c() -> None:
    """Let SIGTERM do in this process what Ctrl-C does at that moment."""
    # One that the caller had ignored stays ignored, and another's handler is not ours to replace.
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _as_ctrl_c)


def _as_ctrl_c(number: int, frame: FrameType | None) -> None:
    answer = signal.getsignal(signal.SIGINT)
    if not callable(answer):
        # Ctrl-C is ignored (a shell's background job); a SIGTERM is still meant for us.
        raise KeyboardInterrupt
    answer(number, frame)


class Signals:
    """Passes SIGINT and SIGTERM on to a cancellation within its block; who answered before does so
    after."""

    def __init__(self, cancellation: Cancellation) -> None:
        self._cancellation = cancellation
        self._before: dict[signal.Signals, Callable[[int, FrameType | None], object] | int] = {}

    def __enter__(self) -> Self:
        self._answer(self._request)
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
        self._before.clear()

    def _request(self) -> None:
        if not self._cancellation.request():
            raise KeyboardInterrupt

    def _answer(self, react: Callable[[], object]) -> None:
        """Call `react` at each signal from now on, between two instructions of the main thread."""
        # Only there can signals be taken over; a command that runs in a thread gets none anyway.
        if threading.current_thread() is not threading.main_thread():
            return
        for number in _NUMBERS:
            before = signal.getsignal(number)
            if before is None or before is signal.SIG_IGN:
                continue
            self._before.setdefault(number, before)
            signal.signal(number, lambda *_: react())

    def ignore_to_the_end(self) -> None:
        """Do nothing at a signal from now on, after the block too: the process ends with it.

        All is told then, and another exit code would contradict it.
        """
        self._answer(lambda: None)
        self._before.clear()

    def ignore_one_more(self) -> None:
        """Do nothing at one more signal, there is nothing left to stop; then be as before.

        What was done has to be told, but a pipe that nobody reads must not keep us for ever.
        """
        if self._before:
            self._answer(lambda: self.__exit__())


@contextmanager
def before_any_change(options: Options) -> Iterator[None]:
    """Around work that has changed nothing yet, or ends in order by itself once it has."""
    try:
        yield
    except KeyboardInterrupt:
        blank(options)
        raise Stop(ExitCode.INTERRUPTED, "Interrupted. Nothing was changed.") from None


def ignore_all() -> None:
    """Hear no signal any more: one that meets an interpreter at its end would be its exit code."""
    if threading.current_thread() is threading.main_thread():
        for number in _NUMBERS:
            signal.signal(number, signal.SIG_IGN)
        # One that met a dataclass in the making (an `exec` of text) is remembered by the
        # interpreter: it would end the process by SIGINT instead of our exit code, although it was
        # caught. The next `exec` of text makes it forget.
        exec("")
