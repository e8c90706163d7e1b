"""The table of state backends: what each is called, which settings it takes, which URLs mean it.

Whatever knows backends apart goes by this table: reading and checking the section `state` of the
project file, `state migrate --to URL` and the section that it prints, doctor, and every text that
lists backends or URLs. A further backend is its settings and its row here, its module in
reconciler/state with an arm in state/backends.py, and its entry in schemas/project.schema.json;
mypy or tests/unit/state/test_backends.py fails for what is missing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, get_args, get_type_hints

from .setting import Setting

_DEFAULT: Final = "default"
_SECRET: Final = "secret"
_VARIABLE: Final = "variable"


def _about(
    *, default: str | None = None, secret: bool = False, variable: str | None = None
) -> Mapping[str, object]:
    """Return what SettingSpec says of a field, as metadata of the field."""
    return {_DEFAULT: default, _SECRET: secret, _VARIABLE: variable}


@dataclass(frozen=True, slots=True)
class LocalBackend:
    """`backend: local`: a file of this machine; the path is relative to the project file."""

    path: Setting = field(metadata=_about(default=".reconciler/state.db"))


@dataclass(frozen=True, slots=True)
class ObjectStoreBackend:
    """`backend: objectstore`; credentials come from the environment, as that store's SDK does."""

    url: Setting


@dataclass(frozen=True, slots=True)
class HttpBackend:
    """`backend: http`: the state protocol of Terraform's http backend and of GitLab.

    What is None has Terraform's default, or GitLab's where the address is one of GitLab. The
    variables are those of Terraform: a pipeline of GitLab has them set already.
    """

    address: Setting
    lock_address: Setting | None = None
    unlock_address: Setting | None = None
    lock_method: str | None = None
    unlock_method: str | None = None
    update_method: str | None = None
    username: Setting | None = field(default=None, metadata=_about(variable="TF_HTTP_USERNAME"))
    password: Setting | None = field(
        default=None, metadata=_about(secret=True, variable="TF_HTTP_PASSWORD")
    )
    token: Setting | None = field(default=None, metadata=_about(secret=True))


@dataclass(frozen=True, slots=True)
class PostgresBackend:
    """`backend: postgres`; several states in one database differ in their names.

    The URL may hold a password, and is best kept in the environment.
    """

    url: Setting = field(metadata=_about(variable="RECONCILER_STATE_URL"))
    name: str = "default"


# A shared one is a store of documents (state/store.py) that many machines reach.
SharedBackend = ObjectStoreBackend | HttpBackend | PostgresBackend
Backend = LocalBackend | SharedBackend


@dataclass(frozen=True, slots=True)
class Encryption:
    """`state.encryption`: keys of 32 bytes; what the previous one wrote can still be read."""

    key: Setting
    previous_key: Setting | None = None


@dataclass(frozen=True, slots=True)
class StateSettings:
    """`state:`: where the state lives."""

    backend: Backend
    encryption: Encryption | None = None


@dataclass(frozen=True, slots=True)
class SettingSpec:
    """A setting of a backend: `attribute` of its dataclass, `name` in the project file.

    A literal takes no reference to the environment. `variable` is where a value that should not
    stand in the file is kept by convention; `default` is the text of one that is left out.
    """

    attribute: str
    name: str
    is_required: bool
    is_literal: bool
    is_secret: bool
    variable: str | None
    default: str | None


@dataclass(frozen=True, slots=True)
class SettingsConflict:
    """Settings that do not go together; `name` is the one to point at."""

    name: str
    message: str
    fix: str


@dataclass(frozen=True, slots=True)
class OptionalPackage:
    """A package that is imported by `module` and comes with an extra of ours."""

    module: str
    extra: str


def _no_conflict(names: AbstractSet[str]) -> SettingsConflict | None:
    """Find nothing: any of the backend's settings go together."""
    del names
    return None


@dataclass(frozen=True, slots=True)
class BackendSpec:
    """A row of the table.

    `url_attribute` is the setting that a URL fills whose scheme is one of `schemes`, which people
    are told, or of `other_schemes`, which they are not. `summary` lists the main settings in prose.
    `conflict` is asked with the names of all settings that are written.
    """

    name: str
    settings_type: type[Backend]
    url_attribute: str
    schemes: tuple[str, ...]
    summary: str
    other_schemes: tuple[str, ...] = ()
    needs: OptionalPackage | None = None
    conflict: Callable[[AbstractSet[str]], SettingsConflict | None] = _no_conflict
    # Beside `backend` and `encryption`, in the order of the dataclass.
    settings: tuple[SettingSpec, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", _settings_of(self.settings_type))

    @property
    def is_shared(self) -> bool:
        """Whether other machines can reach it; these can be encrypted."""
        return self.settings_type is not LocalBackend

    @property
    def names(self) -> tuple[str, ...]:
        """What may stand in the section `state` beside `backend`."""
        names = tuple(setting.name for setting in self.settings)
        return (*names, "encryption") if self.is_shared else names


def _http_conflict(names: AbstractSet[str]) -> SettingsConflict | None:
    """Find more or less than one way to authenticate."""
    basic = sorted({"username", "password"} & names)
    if (basic and "token" in names) or len(basic) == 1:
        return SettingsConflict(
            basic[0],
            "Not exactly one way to authenticate",
            "Write username and password, or token.",
        )
    return None


def _settings_of(settings_type: type[Backend]) -> tuple[SettingSpec, ...]:
    hints = get_type_hints(settings_type)
    return tuple(
        SettingSpec(
            one.name,
            _camel(one.name),
            is_required=one.default is dataclasses.MISSING and one.metadata.get(_DEFAULT) is None,
            is_literal=Setting not in (hints[one.name], *get_args(hints[one.name])),
            is_secret=bool(one.metadata.get(_SECRET)),
            variable=one.metadata.get(_VARIABLE),
            default=one.metadata.get(_DEFAULT),
        )
        for one in dataclasses.fields(settings_type)
    )


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return "".join((first, *(other.capitalize() for other in others)))


BACKENDS: Final[Mapping[str, BackendSpec]] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            BackendSpec("local", LocalBackend, "path", schemes=(), summary="path"),
            BackendSpec(
                "objectstore",
                ObjectStoreBackend,
                "url",
                schemes=("s3", "gs", "az", "file"),
                # What other tools say for the same; the store tells what to write instead.
                other_schemes=("s3a", "azure", "abfs", "abfss"),
                summary="url",
            ),
            BackendSpec(
                "http",
                HttpBackend,
                "address",
                schemes=("https",),
                other_schemes=("http",),
                summary="address",
                conflict=_http_conflict,
            ),
            BackendSpec(
                "postgres",
                PostgresBackend,
                "url",
                schemes=("postgres",),
                other_schemes=("postgresql",),
                summary="url and name",
                needs=OptionalPackage("psycopg", extra="postgres"),
            ),
        )
    }
)


def backend_spec(backend: Backend) -> BackendSpec:
    """Return the row of a backend by its settings."""
    return next(spec for spec in BACKENDS.values() if spec.settings_type is type(backend))


def spec_of_scheme(scheme: str) -> BackendSpec | None:
    """Return the backend that URLs of a scheme mean; a path of a file has none."""
    rows = BACKENDS.values()
    return next((row for row in rows if scheme in (*row.schemes, *row.other_schemes)), None)


def known_urls() -> tuple[str, ...]:
    """Return how the URLs begin that people are told of: `s3://`, …"""
    return tuple(f"{scheme}://" for row in BACKENDS.values() for scheme in row.schemes)


def setting_values(backend: Backend) -> Iterator[tuple[SettingSpec, Setting | str]]:
    """Yield each setting of a backend that has a value, with it."""
    for spec in backend_spec(backend).settings:
        value = getattr(backend, spec.attribute)
        if value is not None:
            yield spec, value
