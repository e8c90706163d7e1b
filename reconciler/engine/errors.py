"""What the use-cases raise: typed errors, whose text and exit code are the caller's to choose."""

from __future__ import annotations

from reconciler.core.diagnostics import Diagnostic


class ReconcilerError(Exception):
    """The base of all errors of the engine."""


class InvalidSettings(ReconcilerError):
    """Settings of the project file that cannot be used here and now: all of them at once."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__(len(diagnostics))
        self.diagnostics = diagnostics
