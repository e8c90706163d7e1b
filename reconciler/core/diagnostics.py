"""What is wrong with something a person wrote: a code, a place, what, why and how to fix it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .source import Source


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of mistake. `id` is permanent; `why` and `fix` stand unless a diagnostic differs."""

    id: str
    slug: str
    title: str
    severity: Severity
    why: str
    fix: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake. `message` and `detail` never hold a secret or an identity value.

    Shown as `file:line:col: error[E204]: message`, then detail, why, fix, each on its own line.
    """

    code: Code
    message: str
    source: Source | None = None
    detail: tuple[str, ...] = ()
    why: str | None = None
    fix: str | None = None
    related: tuple[tuple[Source, str], ...] = ()

    @property
    def severity(self) -> Severity:
        return self.code.severity

    def sort_key(self) -> tuple[str, int, int, str, str]:
        place = self.source or Source("", 0, 0)
        return (place.file, place.line, place.column, self.code.id, self.message)
