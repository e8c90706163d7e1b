"""The base URL: whether it is given, and whether keys may be sent there at all."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from reconciler.core.check_result import CheckResult, Verdict
from reconciler.core.project import Project
from reconciler.manifest.interpolation import check_base_url, resolve

from .environment import is_given
from .skipped import skipped


def examine(project: Project, environ: Mapping[str, str]) -> tuple[CheckResult, str | None]:
    """Return what is found, and the URL if it may be used."""
    setting = project.api.base_url
    if not is_given(setting, environ):
        (finding,) = skipped("environment", "base-url")
        return finding, None
    url = resolve(setting, environ)
    refused = check_base_url(url, environ, setting)
    if refused is not None:
        fix = refused.fix or refused.code.fix
        message = f"{refused.code.id}: {refused.message}"
        return CheckResult("base-url", Verdict.FAILED, message, fix=fix), None
    return CheckResult("base-url", Verdict.OK, f"keys may be sent to {urlsplit(url).hostname}"), url
