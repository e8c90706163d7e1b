"""The program itself: its version, and what it runs on."""

from __future__ import annotations

import platform

from reconciler import __version__
from reconciler.core.check_result import CheckResult, Verdict


def examine() -> CheckResult:
    """Say which versions these are; what is too old does not get here."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    system = f"{platform.system()} {platform.machine()}"
    return CheckResult("version", Verdict.OK, f"reconciler {__version__}, {python}, {system}")
