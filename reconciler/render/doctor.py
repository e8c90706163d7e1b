"""Results of checks as text, one by one, and all as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from reconciler.core.check_result import CheckResult, Verdict
from reconciler.core.counting import number

from .escape import prose
from .spans import EMPTY, Line, Span, Style, line

_STYLES: Final[dict[Verdict, Style]] = {
    Verdict.OK: "success",
    Verdict.WARNING: "warning",
    Verdict.FAILED: "error",
    Verdict.SKIPPED: "dim",
}
_VERDICT_WIDTH: Final = 7
_CHECK_WIDTH: Final = 12


def lines(finding: CheckResult) -> Iterator[Line]:
    """Show one finding: the verdict, what was checked, what was found, and what to do."""
    verdict = f"{finding.verdict.value:<{_VERDICT_WIDTH}}"
    about = f"{prose(finding.subject)}: " if finding.subject else ""
    yield line(
        Span(verdict, _STYLES[finding.verdict]),
        f"  {finding.check:<{_CHECK_WIDTH}}  {about}{prose(finding.message)}",
    )
    indent = _VERDICT_WIDTH + _CHECK_WIDTH + 4
    for detail in finding.detail:
        yield line(prose(detail), indent=indent)
    if finding.fix:
        yield line(f"fix: {prose(finding.fix)}", indent=indent)


def last_lines(findings: Sequence[CheckResult]) -> Iterator[Line]:
    """Count the findings by verdict."""
    counts = Counter(finding.verdict for finding in findings)
    parts = [f"{number(counts[verdict])} {verdict.value}" for verdict in Verdict if counts[verdict]]
    yield EMPTY
    yield line(f"{', '.join(parts)}.")


def as_json(findings: Sequence[CheckResult]) -> str:
    """Return all findings as one document."""
    counts = Counter(finding.verdict for finding in findings)
    document = {
        "formatVersion": "1.0",
        "summary": {verdict.value: counts[verdict] for verdict in Verdict},
        "checks": [
            {
                "check": finding.check,
                "subject": finding.subject or None,
                "verdict": finding.verdict.value,
                "message": finding.message,
                "detail": list(finding.detail),
                "fix": finding.fix or None,
            }
            for finding in findings
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)
