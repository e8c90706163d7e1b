"""The program, the project's files, and the environment variables that the project file names.

Names of variables are told, values never.
"""

from __future__ import annotations

import dataclasses
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import Distribution
from pathlib import Path
from typing import Final

from reconciler import __version__
from reconciler.core.check_result import CheckResult, Verdict
from reconciler.core.counting import counted
from reconciler.core.device import Desired
from reconciler.core.diagnostics import Diagnostic, Severity
from reconciler.core.project import Project
from reconciler.core.setting import Setting
from reconciler.core.state_backends import BACKENDS
from reconciler.engine.errors import ProjectNotFound
from reconciler.engine.files import relocate
from reconciler.engine.installation import find_foreign_distribution
from reconciler.engine.project_files import (
    CheckedFiles,
    check_files,
    count_mistakes,
    locate_project_file,
)
from reconciler.manifest.interpolation import Unresolved, referenced_variable, resolve_setting

_MOST_DIAGNOSTICS: Final = 5
_ALL_OF_THEM: Final = "reconciler validate shows all of it, and how to fix it."
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
_SET_THEM: Final = (
    "Set them where this runs: as masked variables of the pipeline, or with export NAME=… in "
    "your shell."
)


def check_version(distributions: Iterable[Distribution]) -> CheckResult:
    """Say which versions these are, and whether the files are our own; what is too old does not get
    here."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    system = f"{platform.system()} {platform.machine()}"
    versions = f"reconciler {__version__}, {python}, {system}"
    foreign = find_foreign_distribution(distributions)
    if foreign is not None:
        return CheckResult(
            "version", Verdict.WARNING, versions, detail=(foreign.message,), fix=foreign.fix
        )
    return CheckResult("version", Verdict.OK, versions)


def check_project(
    directory: Path, config: Path | None, origin: Path
) -> tuple[CheckResult, CheckedFiles | None]:
    """Read and check all files; None where there is not even a project file.

    Paths are shown from `origin` on.
    """
    try:
        checked = check_files(locate_project_file(directory, config))
    except ProjectNotFound as error:
        return CheckResult("files", Verdict.FAILED, error.message, fix=error.fix), None
    diagnostics = relocate(origin, checked.root, checked.diagnostics)
    errors = [one for one in diagnostics if one.severity is Severity.ERROR]
    if errors:
        message = f"{count_mistakes(len(errors))} in {counted(checked.file_count, 'file')}"
        shown = _show_first(errors)
        return CheckResult("files", Verdict.FAILED, message, shown, _ALL_OF_THEM), checked
    devices = 0 if checked.desired is None else len(checked.desired.devices)
    message = f"{counted(devices, 'device')} in {counted(checked.file_count, 'file')}, no mistakes"
    if diagnostics:
        shown = _show_first(diagnostics)
        return CheckResult("files", Verdict.WARNING, message, shown, _ALL_OF_THEM), checked
    return CheckResult("files", Verdict.OK, message), checked


def check_environment(
    project: Project, desired: Desired | None, environ: Mapping[str, str]
) -> CheckResult:
    """Look for each variable; a secret that stands in the file itself is a warning."""
    needed = tuple(_needed_settings(project, desired))
    unset = [setting for setting in needed if not has_value(setting, environ)]
    if unset:
        detail = tuple(_describe_unset(setting, environ) for setting in unset)
        message = f"{len(unset)} of {len(needed)} settings that are needed have no value"
        return CheckResult("environment", Verdict.FAILED, message, detail, _SET_THEM)
    names = sorted(
        {name for setting in needed if (name := referenced_variable(setting)) is not None}
    )
    message = f"all set: {', '.join(names)}" if names else "the project file names no variable"
    detail = tuple(
        f"{_describe_unset(setting, environ)}; no manifest uses it"
        for setting in _unused_settings(project, desired)
        if not has_value(setting, environ)
    )
    in_file = [setting.path for setting in needed if _is_secret_in_file(setting)]
    if in_file:
        return CheckResult(
            "environment",
            Verdict.WARNING,
            message,
            (*(f"{path} stands in the project file itself" for path in in_file), *detail),
            "Whoever reads the repository reads it. Put it into a variable: ${NAME}",
        )
    return CheckResult("environment", Verdict.OK, message, detail)


def has_value(setting: Setting, environ: Mapping[str, str]) -> bool:
    """Whether a setting has a value here."""
    try:
        resolve_setting(setting, environ)
    except Unresolved:
        return False
    return True


def _show_first(diagnostics: Sequence[Diagnostic]) -> tuple[str, ...]:
    lines = [
        f"{_position(one)}{one.code.id}: {one.message}" for one in diagnostics[:_MOST_DIAGNOSTICS]
    ]
    more = len(diagnostics) - len(lines)
    return (*lines, *([f"and {more:,} more"] if more else []))


def _position(diagnostic: Diagnostic) -> str:
    source = diagnostic.source
    return "" if source is None else f"{source.file}:{source.line}:{source.column}: "


def _needed_settings(project: Project, desired: Desired | None) -> Iterator[Setting]:
    yield project.api.base_url
    yield from _settings_of(project.api.auth)
    for name, application in project.applications.items():
        if _is_used(name, desired):
            yield application.app_code
    yield from _settings_of(project.state.backend)
    if project.state.encryption is not None:
        yield project.state.encryption.key


def _unused_settings(project: Project, desired: Desired | None) -> Iterator[Setting]:
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


def _settings_of(owner: object) -> Iterator[Setting]:
    assert dataclasses.is_dataclass(owner)
    for field in dataclasses.fields(owner):
        value = getattr(owner, field.name)
        if isinstance(value, Setting):
            yield value


def _describe_unset(setting: Setting, environ: Mapping[str, str]) -> str:
    name = referenced_variable(setting) or ""
    return f"{name} ({setting.path}) is {'empty' if name in environ else 'not set'}"


def _is_secret_in_file(setting: Setting) -> bool:
    return referenced_variable(setting) is None and setting.path in _SECRETS
