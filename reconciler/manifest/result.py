"""What reading is given, the bytes of a file, and what it gives: a value, or diagnostics."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from reconciler.core.diagnostics import Diagnostic, Severity

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a file could not be read, in words: "it is a directory", "permission denied"."""

    reason: str


@dataclass(frozen=True, slots=True, repr=False)
class ManifestFile:
    """One file as found on disk; `path` as the user would type it, relative to the project."""

    path: str
    data: bytes | Unreadable


@dataclass(frozen=True, slots=True)
class ParseResult(Generic[T]):
    """`value` is None when any of the diagnostics (sorted by place) is an error."""

    value: T | None
    diagnostics: tuple[Diagnostic, ...] = ()


def make_result(value: T | None, diagnostics: Iterable[Diagnostic]) -> ParseResult[T]:
    """Sort the diagnostics, and withhold the value when one of them is an error."""
    in_order = tuple(sorted(set(diagnostics), key=Diagnostic.sort_key))
    broken = any(diagnostic.severity is Severity.ERROR for diagnostic in in_order)
    return ParseResult(None if broken else value, in_order)
