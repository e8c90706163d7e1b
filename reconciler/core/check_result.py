"""What a check found of a project and its surroundings: fine, or what is wrong and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """`skipped`: it could not be told, because of something that another check names."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check. `subject` tells several of a kind apart: an application's name.

    No text holds a secret, an application code or an identity value.
    """

    check: str
    verdict: Verdict
    message: str
    detail: tuple[str, ...] = ()
    fix: str = ""
    subject: str = ""
