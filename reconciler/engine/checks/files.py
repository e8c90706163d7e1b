"""The project file and the manifests: whether they are there and without a mistake."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from reconciler.cli.exit_codes import Stop
from reconciler.cli.settings import Options
from reconciler.core.check_result import CheckResult, Verdict
from reconciler.core.counting import counted
from reconciler.core.diagnostics import Diagnostic, Severity
from reconciler.engine.project_files import Checked, check, mistakes, seen_from

_FEW: Final = 5
_ALL: Final = "reconciler validate shows all of it, and how to mend it."


def examine(options: Options) -> tuple[CheckResult, Checked | None]:
    """Read and check all files; None where there is not even a project file."""
    try:
        checked = check(options)
    except Stop as stop:
        return CheckResult("files", Verdict.FAILED, stop.message, fix=stop.fix), None
    diagnostics = seen_from(options.origin, checked.root, checked.diagnostics)
    errors = [one for one in diagnostics if one.severity is Severity.ERROR]
    if errors:
        message = f"{mistakes(len(errors))} in {counted(checked.file_count, 'file')}"
        return CheckResult("files", Verdict.FAILED, message, _shown(errors), _ALL), checked
    devices = 0 if checked.desired is None else len(checked.desired.devices)
    message = f"{counted(devices, 'device')} in {counted(checked.file_count, 'file')}, no mistakes"
    if diagnostics:
        return CheckResult("files", Verdict.WARNING, message, _shown(diagnostics), _ALL), checked
    return CheckResult("files", Verdict.OK, message), checked


def _shown(diagnostics: Sequence[Diagnostic]) -> tuple[str, ...]:
    lines = [f"{_place(one)}{one.code.id}: {one.message}" for one in diagnostics[:_FEW]]
    more = len(diagnostics) - len(lines)
    return (*lines, *([f"and {more:,} more"] if more else []))


def _place(one: Diagnostic) -> str:
    source = one.source
    return "" if source is None else f"{source.file}:{source.line}:{source.column}: "
