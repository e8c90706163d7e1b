"""From the section `state` of the project file, or a URL, to an open state."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from reconciler.core import codes
from reconciler.core.diagnostics import Code, Diagnostic
from reconciler.core.project import (
    HttpPlace,
    LocalPlace,
    ObjectStorePlace,
    PostgresPlace,
    Setting,
    StateSettings,
)
from reconciler.core.secret import Secret
from reconciler.core.source import Source
from reconciler.manifest.interpolation import Unresolved, may_be_sent_to, resolve

from .errors import InvalidSettings

if TYPE_CHECKING:
    from reconciler.api.credentials import BasicCredential
    from reconciler.api.sync_client import BearerCredential
    from reconciler.state.encryption import Keys
    from reconciler.state.protocols import State
    from reconciler.state.shared import SharedState
    from reconciler.state.store import Store

# Where a machine notes what it is about to send, when the record itself is elsewhere.
JOURNAL: Final = Path(".reconciler/journal.db")
RESCUED: Final = Path(".reconciler/unwritten-record.json")
# Where a setting stands that was given on the command line.
_TYPED: Final = Source("--to", 1, 1)
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*)://", re.ASCII)


@dataclass(frozen=True, slots=True)
class Places:
    """Where a project's state is, everything resolved. `url` for all but a local file."""

    root: Path
    settings: StateSettings
    environ: Mapping[str, str]

    @property
    def is_local(self) -> bool:
        return isinstance(self.settings.place, LocalPlace)

    @property
    def path(self) -> Path:
        """The local file; InvalidSettings if its variable is not set."""
        place = self.settings.place
        assert isinstance(place, LocalPlace)
        return self.root / _text(place.path, self.environ)

    @property
    def is_empty(self) -> bool:
        """Whether there is no local state yet; an empty file was cut off before it began."""
        return self.is_local and (not self.path.exists() or self.path.stat().st_size == 0)


def open_state(places: Places, *, who: str, create: bool, plain: bool = False) -> State:
    """Open the state of a project. With `create` a local file that is missing is made.

    A shared state is only ever started by `state init`. Raises InvalidSettings, StateError.
    """
    if places.is_local:
        from reconciler.state.local import LocalState

        return LocalState.open(places.path, create=create)
    return open_shared(places, who=who, plain=plain)


def open_shared(places: Places, *, who: str, plain: bool = False) -> SharedState:
    """Open a shared state. `plain`: also one that is not encrypted although there is a key."""
    from reconciler.state.shared import SharedState

    keys = keys_of(places.settings, places.environ)
    store = _store(places.settings, places.environ, who)
    return SharedState(store, places.root / JOURNAL, keys, plain=plain)


def keys_of(settings: StateSettings, environ: Mapping[str, str]) -> Keys:
    """Return the keys that the record is encrypted with; InvalidSettings for one that is none."""
    from reconciler.state.encryption import Key, Keys, NoKey

    if settings.encryption is None:
        return Keys()

    def key(setting: Setting) -> Key:
        try:
            return Key.parse(_text(setting, environ))
        except NoKey as error:
            raise InvalidSettings(
                (Diagnostic(codes.RECORD_KEY, f"{setting.path}: {error}", setting.source),)
            ) from None

    previous: Key | None = None
    if settings.encryption.previous_key is not None:
        try:
            previous = key(settings.encryption.previous_key)
        except InvalidSettings as mistakes:
            # Between two rotations there is none, and its variable is not set.
            if any(one.code is not codes.UNSET_VARIABLE for one in mistakes.diagnostics):
                raise
    return Keys(key(settings.encryption.key), previous)


def settings_of(url: str, environ: Mapping[str, str]) -> StateSettings:
    """Return the settings that a URL or the path of a file stands for; ValueError."""

    def setting(name: str, text: str) -> Setting:
        return Setting(text.replace("${", "$ {"), f"state.{name}", _TYPED)

    found = _SCHEME.match(url)
    match found[1] if found else "":
        case "":
            return StateSettings(LocalPlace(setting("path", url)))
        case "postgres" | "postgresql":
            return StateSettings(PostgresPlace(setting("url", url)))
        case "http" | "https":
            # As terraform names them: a pipeline of GitLab has them set already.
            user, password = (environ.get(name) for name in _TERRAFORM)
            return StateSettings(
                HttpPlace(
                    setting("address", url),
                    username=setting("username", user) if user and password else None,
                    password=setting("password", password) if user and password else None,
                )
            )
        case "s3" | "s3a" | "gs" | "az" | "azure" | "abfs" | "abfss" | "file":
            return StateSettings(ObjectStorePlace(setting("url", url)))
        case scheme:
            known = "s3://, gs://, az://, file://, https://, postgres://, or the path of a file"
            raise ValueError(f"{scheme}:// is no place for a record; known: {known}")


_TERRAFORM: Final = ("TF_HTTP_USERNAME", "TF_HTTP_PASSWORD")


def _store(settings: StateSettings, environ: Mapping[str, str], who: str) -> Store:
    match settings.place:
        case ObjectStorePlace(url):
            from reconciler.state.objectstore import open_object_store

            text = _text(url, environ)
            try:
                return open_object_store(text)
            except ValueError as error:
                raise _mistake(codes.STATE_SETTING, str(error), url) from None
        case PostgresPlace(url, name):
            from reconciler.state.connection_per_part import Apart
            from reconciler.state.postgres import PostgresStore

            text = _text(url, environ)
            if url.text == text:
                _require_trusted(url, text, environ)
            try:
                return Apart(lambda: PostgresStore(text, name))
            except ValueError as error:
                raise _mistake(codes.STATE_SETTING, str(error), url) from None
        case HttpPlace() as place:
            return _http(place, environ, who)
        case LocalPlace():
            raise AssertionError("a local file is no store")


def _http(place: HttpPlace, environ: Mapping[str, str], who: str) -> Store:
    from reconciler.api.credentials import UnusableCredential
    from reconciler.api.sync_client import SyncClient
    from reconciler.state.http import HttpStore, addresses

    given = {
        "lock_address": place.lock_address,
        "unlock_address": place.unlock_address,
    }
    texts = {name: None if one is None else _text(one, environ) for name, one in given.items()}
    address = _text(place.address, environ)
    for setting in (place.address, *(one for one in given.values() if one is not None)):
        _require_trusted(setting, _text(setting, environ), environ)
    try:
        where = addresses(
            address,
            lock_method=place.lock_method,
            unlock_method=place.unlock_method,
            update_method=place.update_method,
            **texts,
        )
    except ValueError as error:
        raise _mistake(codes.STATE_SETTING, str(error), place.address) from None
    try:
        return HttpStore(SyncClient(_credential(place, environ)), where, who=who)
    except UnusableCredential as error:
        raise _mistake(codes.STATE_SETTING, str(error), place.address) from None


def _credential(
    place: HttpPlace, environ: Mapping[str, str]
) -> BasicCredential | BearerCredential | None:
    from reconciler.api.credentials import BasicCredential
    from reconciler.api.sync_client import BearerCredential

    if place.token is not None:
        return BearerCredential(Secret(_text(place.token, environ)))
    if place.username is not None and place.password is not None:
        return BasicCredential(
            _text(place.username, environ), Secret(_text(place.password, environ))
        )
    return None


def _require_trusted(setting: Setting, url: str, environ: Mapping[str, str]) -> None:
    """Refuse an address that stands in the file and names a host that nobody has allowed.

    One that the environment gives as a whole was chosen by whoever set the environment; one that
    was typed, by whoever typed it.
    """
    if setting.source is _TYPED or (setting.text != url and ":-" not in setting.text):
        return
    host = urlsplit(url).hostname or ""
    # GitLab names itself to its jobs.
    if host and (may_be_sent_to(host, environ) or host == environ.get("CI_SERVER_HOST")):
        return
    raise _mistake(
        codes.STATE_ADDRESS, f"The record and its credentials are not sent to {host}", setting
    )


def _text(setting: Setting, environ: Mapping[str, str]) -> str:
    try:
        return resolve(setting, environ)
    except Unresolved as unresolved:
        raise InvalidSettings((unresolved.diagnostic,)) from None


def _mistake(code: Code, message: str, setting: Setting) -> InvalidSettings:
    return InvalidSettings((Diagnostic(code, message, setting.source),))
