"""The program itself: its version, what it runs on, and whether its files are its own."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib.metadata import Distribution

from reconciler import __version__
from reconciler.core.check_result import CheckResult, Verdict
from reconciler.engine.installation import find_foreign_distribution


def examine(distributions: Iterable[Distribution]) -> CheckResult:
    """Say which versions these are; what is too old does not get here."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    system = f"{platform.system()} {platform.machine()}"
    versions = f"reconciler {__version__}, {python}, {system}"
    foreign = find_foreign_distribution(distributions)
    if foreign is not None:
        return CheckResult(
            "version", Verdict.WARNING, versions, detail=(foreign.message,), fix=foreign.fix
        )
    return CheckResult("version", Verdict.OK, versions)
