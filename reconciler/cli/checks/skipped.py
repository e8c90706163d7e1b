"""Checks that were not made, because of one that failed before them."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.finding import Finding, Verdict


def skipped(because: str, *checks: str, subject: str = "") -> Iterator[Finding]:
    """Yield a finding for each check that cannot be made; `because` names the one to blame."""
    for check in checks:
        what = f"not checked, because of {because}"
        yield Finding(check, Verdict.SKIPPED, what, subject=subject)
