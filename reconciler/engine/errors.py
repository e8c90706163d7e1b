"""How a use-case of the engine ends when it does not return: one class for each ending.

All derive from `ReconcilerError`, whose text is a sentence without a secret or an identity value.
The endings that begin in other rooms belong to the same tree: `StateError` (the state cannot be
read or written), `LeaseHeld` (somebody else holds its lock), `ApiError` (the service).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.core.diagnostics import Diagnostic
from reconciler.core.failures import ReconcilerError

if TYPE_CHECKING:
    from reconciler.plan.model import Forecast

_MORE_TIME: Final = "Give it more time, or leave --timeout out."


class EngineError(ReconcilerError):
    """An ending with a message of its own, and what to do about it."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


class ProjectNotFound(EngineError):
    """There is no project file to start from, or it cannot be read."""


class InvalidProject(EngineError):
    """The files have mistakes: all of them at once, as `diagnostics` with file, line and column.

    `root` is the directory that their paths are relative to.
    """

    def __init__(
        self, root: Path, diagnostics: Sequence[Diagnostic], message: str, fix: str = ""
    ) -> None:
        super().__init__(message, fix)
        self.root = root
        self.diagnostics = tuple(diagnostics)


class InvalidSettings(ReconcilerError):
    """Settings of the project file cannot be used here: all of them at once, as `diagnostics`.

    An environment variable that is not set, an address that keys may not be sent to.
    """

    def __init__(self, diagnostics: Sequence[Diagnostic], root: Path | None = None) -> None:
        super().__init__("; ".join(diagnostic.message for diagnostic in diagnostics))
        self.diagnostics = tuple(diagnostics)
        # What the paths of diagnostics are relative to, once a use-case knows it.
        self.root = root


class InvalidCredentials(EngineError):
    """Credentials that cannot be sent, whatever the service would say to them."""


class UnknownName(EngineError):
    """An application, a registration id or a key that neither the files nor the state know."""


class NoSuchCommit(EngineError):
    """What the files said at an earlier commit cannot be known."""


class InvalidDocument(EngineError):
    """A saved plan, or another file that was passed in, is not what it should be."""


class UnreadableFile(EngineError):
    """A file that was passed in cannot be read."""


class UnwritableFile(EngineError):
    """A file cannot be written; what was there is there still."""


class NotReplaceable(EngineError):
    """A file that is there and is something else, so it is not overwritten."""


class Refused(EngineError):
    """A guard, an outdated plan, one of another state, or a limit: nothing was changed.

    `reasons` are one sentence each.
    """

    def __init__(self, message: str, fix: str = "", reasons: Sequence[str] = ()) -> None:
        super().__init__(message, fix)
        self.reasons = tuple(reasons)


class TooLong(Refused):
    """The forecast says that it would take longer than it may; `limit` is in seconds.

    `done` counts the calls of an earlier run, which are left out.
    """

    def __init__(self, forecast: Forecast, limit: float, done: int) -> None:
        super().__init__("Refused, nothing was changed: this apply would take longer than it may.")
        self.forecast = forecast
        self.limit = limit
        self.done = done


class NotConfirmed(Refused):
    """Whoever was asked did not say yes."""


class StateMissing(EngineError):
    """There is no state here, and what was asked for needs one."""


class StateOfPlanMissing(Refused):
    """A saved plan was made with a state that is not at `path`."""

    def __init__(self, path: Path) -> None:
        super().__init__("The plan was made with a state that is not here.")
        self.path = path


class StateMoved(EngineError):
    """Somebody else wrote the state meanwhile; nothing was done."""


class TimedOut(EngineError):
    """The time that was given is over; nothing was changed."""

    @classmethod
    def of_deadline(cls) -> TimedOut:
        """Return the error of a run whose deadline has passed."""
        return cls("The time of --timeout is over. Nothing was changed.", _MORE_TIME)


class Cancelled(EngineError):
    """The run was asked to end before it changed anything."""


class Incomplete(EngineError):
    """Some of it is done, and the rest is not: the message says which."""


class FailedMidway(ReconcilerError):
    """An unexpected exception (the cause) after calls were sent: what was done stands in the
    state's journal."""


@contextmanager
def typed_endings(root: Path) -> Iterator[None]:
    """Around a use-case of the project at `root`, before it writes: the end of its time, or a
    request to end, becomes an error of the tree."""
    from reconciler.api.breaker import INTERRUPTED, TIMED_OUT, BreakerTripped

    try:
        yield
    except InvalidSettings as error:
        error.root = root
        raise
    except BreakerTripped as tripped:
        if tripped.reason == INTERRUPTED:
            raise Cancelled("Interrupted. Nothing was changed.") from None
        if tripped.reason == TIMED_OUT:
            raise TimedOut.of_deadline() from None
        reason = f"{tripped.reason[0].upper()}{tripped.reason[1:]}. Nothing was changed."
        raise EngineError(reason) from None


class PathsInTheWay(EngineError):
    """Something is where files would be written; none was written, and nothing overwritten."""


class IncompleteInstallation(EngineError):
    """A file that ships with the program is not there."""
