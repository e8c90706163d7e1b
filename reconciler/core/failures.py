"""Failures that several rooms speak of, so that none imports the room they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .diagnostics import Diagnostic


class ReconcilerError(Exception):
    """The root of every error that this package raises on purpose.

    `str()` is a sentence without a secret or an identity value; `fix` says what to do about it, and
    may be empty.
    """

    fix: str = ""


class StateError(ReconcilerError):
    """The state, the lock or the journal cannot be read or written; `diagnostic` says why."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class Unanswered(Exception):
    """A request over HTTP got no whole answer; the text says why in our own words, no secret in it.

    It may have been carried out all the same.
    """
