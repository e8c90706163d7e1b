"""Everything that can go wrong with a call, as a tree; each says what is true at the service now.

No message holds a secret or an identity value: queries and bodies never get here, and the
service's own text is washed before (see classify).
"""

from __future__ import annotations

from typing import ClassVar, Literal

from reconciler.core.failures import ReconcilerError
from reconciler.platform.operations import WRITES

Truth = Literal["done", "not done", "unknown"]


class ApiError(ReconcilerError):
    """A call that did not give what it should. `truth` is about the write, if it was one.

    `operation` is an Operation, or "token" for the OAuth2 token. `device` is the registration id;
    None where the call is about a person. A read changes nothing, so its truth is "not done".
    """

    # What holds for a write that ended like this, unless the one who raises knows better.
    usual_truth: ClassVar[Truth] = "unknown"

    def __init__(
        self,
        operation: str,
        device: str | None,
        method: str,
        path: str,
        status: int | None = None,
        service_text: str | None = None,
        attempts: int = 1,
        *,
        reason: str | None = None,
        truth: Truth | None = None,
        retry_after: float | None = None,
        application: str | None = None,
    ) -> None:
        self.operation = str(operation)
        self.device = device
        self.method = method
        self.path = path
        self.status = status
        self.service_text = service_text
        self.attempts = attempts
        self.reason = reason
        self.retry_after = retry_after
        self.application = application
        # Of an answer that is not the contract's: whether it is whole JSON all the same.
        self.is_json = False
        self.is_write = self.operation in WRITES
        self.truth: Truth = (truth or self.usual_truth) if self.is_write else "not done"
        super().__init__(operation, device, method, path, status, service_text, attempts)

    def __str__(self) -> str:
        subject = "" if self.device is None else f" of device {_printable(self.device)}"
        application = "" if self.application is None else f" in application {self.application}"
        outcome = "had no answer" if self.status is None else f"answered {self.status}"
        reasons = "; ".join(text for text in (self.reason, self.service_text) if text)
        attempts = "" if self.attempts < 2 else f", {self.attempts} attempts"
        return (
            f"{self.operation}{subject}{application}: {self.method} {self.path} {outcome}"
            f"{': ' if reasons else ''}{reasons} ({self._truth_in_words()}{attempts})"
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self})"

    def _truth_in_words(self) -> str:
        if not self.is_write:
            return "nothing was changed"
        return "it is unknown whether it was done" if self.truth == "unknown" else self.truth


class Refused(ApiError):
    """The service understood and said no (4xx): nothing was done."""

    usual_truth = "not done"


class RegistrationNotFound(Refused):
    """48013: no such registration in that application."""


class ApplicationNotFound(Refused):
    """48012: the application code is wrong."""


class PersonNotFound(Refused):
    """40401 to a look-up of people: nobody has that identifier. No other 404 says so."""


class Denied(Refused):
    """401 or 403: the credentials are wrong, or may not do this. No other call will do better."""


class WritingSwitchedOff(Denied):
    """405 with 40501 or 40502: the account takes no writes over the API, whoever sends them."""


class Conflict(Refused):
    """409: two writes to one person at a time, or somebody else's registration."""


class RateLimited(Refused):
    """429, and still 429 after all retries."""


class Rejected(Refused):
    """Any other 4xx."""


class ServerFailed(ApiError):
    """5xx."""


class NoAnswer(ApiError):
    """No connection, a time-out, or a connection lost; `not done` only if nothing was sent."""


class NotTheContract(ApiError):
    """An answer that the contract does not know: garbled, empty, HTML, cut off, a redirect."""


def _printable(text: str) -> str:
    return "".join(
        character if character.isprintable() else f"\\u{ord(character):04x}" for character in text
    )
