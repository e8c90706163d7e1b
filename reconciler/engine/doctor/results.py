"""Words that several checks share: a check that was skipped, an answer that was no good."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.api.errors import ApiError, NotTheContract, Rejected
from reconciler.core.check_result import CheckResult, Verdict
from reconciler.core.diagnostics import Diagnostic


def skipped(because: str, *checks: str, subject: str = "") -> Iterator[CheckResult]:
    """Yield a result for each check that cannot be made; `because` names the one to blame."""
    for check in checks:
        message = f"not checked, because of {because}"
        yield CheckResult(check, Verdict.SKIPPED, message, subject=subject)


def failed_by(check: str, diagnostics: Sequence[Diagnostic]) -> CheckResult:
    """Return the result of a check that failed with these diagnostics."""
    message, *others = (f"{one.code.id}: {one.message}" for one in diagnostics)
    fix = diagnostics[0].fix or diagnostics[0].code.fix
    return CheckResult(check, Verdict.FAILED, message, tuple(others), fix)


def describe_answer(error: ApiError) -> str:
    """Return what came back, without the call, which somebody who runs checks did not make."""
    answered = "no answer" if error.status is None else f"answered {error.status}"
    why = "; ".join(text for text in (error.reason, error.service_text) if text)
    return f"{answered}: {why}" if why else answered


def suggest_fix(error: ApiError) -> str:
    """Return what to do about an answer that was no good."""
    if isinstance(error, NotTheContract | Rejected):
        return "Check that api.baseUrl is the account's own base URL, with nothing between."
    return "Try again later."
