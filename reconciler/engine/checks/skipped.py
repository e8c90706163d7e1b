"""Checks that were not made, because of one that failed before them."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.check_result import CheckResult, Verdict


def skipped(because: str, *checks: str, subject: str = "") -> Iterator[CheckResult]:
    """Yield a finding for each check that cannot be made; `because` names the one to blame."""
    for check in checks:
        what = f"not checked, because of {because}"
        yield CheckResult(check, Verdict.SKIPPED, what, subject=subject)
