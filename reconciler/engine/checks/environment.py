"""The environment variables that the project file names: whether those that are needed are set.

Names are told, values never.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Final

from reconciler.core.check_result import CheckResult, Verdict
from reconciler.core.device import Desired
from reconciler.core.project import Project
from reconciler.core.setting import Setting
from reconciler.core.state_backends import BACKENDS
from reconciler.manifest.interpolation import Unresolved, resolve, variable

_SECRETS: Final = frozenset(
    {
        *("api.auth.apiKey", "api.auth.basic.password", "api.auth.oauth2.clientSecret"),
        *("api.auth.ibsso.token", "state.encryption.key", "state.encryption.previousKey"),
        *(
            f"state.{setting.name}"
            for spec in BACKENDS.values()
            for setting in spec.settings
            if setting.is_secret
        ),
    }
)
_FIX: Final = (
    "Set them where this runs: as masked variables of the pipeline, or with export NAME=… in "
    "your shell."
)


def examine(project: Project, desired: Desired | None, environ: Mapping[str, str]) -> CheckResult:
    """Look for each variable; a secret that stands in the file itself is a warning."""
    needed = tuple(_needed(project, desired))
    unset = [setting for setting in needed if not is_given(setting, environ)]
    optional = [one for one in _optional(project, desired) if not is_given(one, environ)]
    names = sorted({name for one in needed if (name := variable(one)) is not None})
    written = [one.path for one in needed if _is_written_secret(one)]
    if unset:
        detail = tuple(_missing(one, environ) for one in unset)
        message = f"{len(unset)} of {len(needed)} settings that are needed have no value"
        return CheckResult("environment", Verdict.FAILED, message, detail, _FIX)
    message = f"all set: {', '.join(names)}" if names else "the project file names no variable"
    detail = tuple(f"{_missing(one, environ)}; no manifest uses it" for one in optional)
    if written:
        return CheckResult(
            "environment",
            Verdict.WARNING,
            message,
            (*(f"{path} stands in the project file itself" for path in written), *detail),
            "Whoever reads the repository reads it. Put it into a variable: ${NAME}",
        )
    return CheckResult("environment", Verdict.OK, message, detail)


def is_given(setting: Setting, environ: Mapping[str, str]) -> bool:
    """Whether a setting has a value here."""
    try:
        resolve(setting, environ)
    except Unresolved:
        return False
    return True


def _needed(project: Project, desired: Desired | None) -> Iterator[Setting]:
    yield project.api.base_url
    yield from _settings(project.api.auth)
    for name, application in project.applications.items():
        if _is_used(name, desired):
            yield application.app_code
    yield from _settings(project.state.backend)
    if project.state.encryption is not None:
        yield project.state.encryption.key


def _optional(project: Project, desired: Desired | None) -> Iterator[Setting]:
    for name, application in project.applications.items():
        if not _is_used(name, desired):
            yield application.app_code


def _is_used(application: str, desired: Desired | None) -> bool:
    """Whether a manifest uses an application; where they cannot be read, all are taken for used."""
    if desired is None:
        return True
    used = {device.application for device in desired.devices.values()}
    used |= {removal.application for removal in desired.removed.values()}
    return application in used


def _settings(owner: object) -> Iterator[Setting]:
    assert dataclasses.is_dataclass(owner)
    for field in dataclasses.fields(owner):
        value = getattr(owner, field.name)
        if isinstance(value, Setting):
            yield value


def _missing(setting: Setting, environ: Mapping[str, str]) -> str:
    name = variable(setting) or ""
    return f"{name} ({setting.path}) is {'empty' if name in environ else 'not set'}"


def _is_written_secret(setting: Setting) -> bool:
    return variable(setting) is None and setting.path in _SECRETS
