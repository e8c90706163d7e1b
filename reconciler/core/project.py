"""The project file, read and checked, with its references to the environment still unresolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .device import OnRemove
from .privacy import Privacy
from .safety import Safety
from .setting import Setting as Setting
from .source import Source
from .state_backends import StateSettings as StateSettings


@dataclass(frozen=True, slots=True)
class ApiKey:
    key: Setting


@dataclass(frozen=True, slots=True)
class Basic:
    username: Setting
    password: Setting


@dataclass(frozen=True, slots=True)
class OAuth2:
    client_id: Setting
    client_secret: Setting


@dataclass(frozen=True, slots=True)
class Ibsso:
    token: Setting


Auth = ApiKey | Basic | OAuth2 | Ibsso


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """`api:`; limits in requests a second by operation name, assume by assumption name.

    `timeout` is in seconds, for one attempt of a call.
    """

    base_url: Setting
    auth: Auth
    limits: Mapping[str, float] = field(default_factory=dict)
    quota_share: float = 0.8
    assume: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class Application:
    name: str
    app_code: Setting
    source: Source


@dataclass(frozen=True, slots=True)
class Pattern:
    """One glob of files, relative to the project file."""

    text: str
    source: Source


@dataclass(frozen=True, slots=True)
class Project:
    file: str
    api: ApiSettings
    applications: Mapping[str, Application]
    manifests: tuple[Pattern, ...]
    state: StateSettings
    on_remove: OnRemove = OnRemove.RELEASE
    # By field (core.fields), all keys of additionalData as one; what is missing is "correct", but
    # for owner, which is "report".
    on_drift: Mapping[str, Literal["correct", "report"]] = field(default_factory=dict)
    safety: Safety = Safety()  # noqa: RUF009 - frozen
    # Globs of the files that consent to what a plan was refused for.
    consents: tuple[Pattern, ...] = ()
    privacy: Privacy = Privacy()  # noqa: RUF009 - frozen
    # Files outside of Git whose people every manifest may name as owners.
    people_from: tuple[Pattern, ...] = ()
