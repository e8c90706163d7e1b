"""From the section `state` of the project file, or from a URL, to an open state.

Which backends there are stands in core.state_backends, how each is opened in state.backends. Here
their settings are resolved, and addresses refused that credentials must not be sent to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, cast
from urllib.parse import urlsplit

from reconciler.core import codes
from reconciler.core.diagnostics import Code, Diagnostic
from reconciler.core.secret import Secret
from reconciler.core.setting import Setting
from reconciler.core.source import Source
from reconciler.core.state_backends import (
    BACKENDS,
    Backend,
    LocalBackend,
    SharedBackend,
    StateSettings,
    backend_spec,
    known_urls,
    spec_of_scheme,
)
from reconciler.manifest.interpolation import Unresolved, may_be_sent_to, resolve_setting
from reconciler.state.lease import Holder

from .errors import InvalidSettings
from .holder import holder_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.state.encryption import Key, Keys
    from reconciler.state.http import Http
    from reconciler.state.protocols import State
    from reconciler.state.shared import SharedState
    from reconciler.state.store import Store

# Where a machine notes what it is about to send, when the state itself is elsewhere.
JOURNAL: Final = Path(".reconciler/journal.db")
# Where a state is kept that could not be written where it belongs.
UNWRITTEN_RECORD: Final = Path(".reconciler/unwritten-state.json")
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*)://", re.ASCII)


@dataclass(frozen=True, slots=True)
class StateLocation:
    """Where a state is: its settings, and what they are resolved with.

    `root` is the project's directory. `is_trusted`: whoever runs this has chosen the settings
    himself, so that an address in them needs nobody's permission.
    """

    root: Path
    settings: StateSettings
    environ: Mapping[str, str]
    is_trusted: bool = False

    @property
    def is_local(self) -> bool:
        """Whether it is a file of this machine."""
        return isinstance(self.settings.backend, LocalBackend)

    @property
    def path(self) -> Path:
        """The file of a local one; InvalidSettings if its variable is not set."""
        backend = self.settings.backend
        assert isinstance(backend, LocalBackend)
        return self.root / _resolve(backend.path, self.environ)

    @property
    def is_empty_file(self) -> bool:
        """Whether a local one has not begun: no file, or one that was cut off before it began."""
        return self.is_local and _is_empty(self.path)


class OpenedState(NamedTuple):
    """An open state; `is_new` if its local file was made, or begun, just now."""

    state: State
    is_new: bool


def open_state(
    location: StateLocation, holder: Holder, *, create: bool, plain: bool = False
) -> OpenedState:
    """Open a state. With `create` a local file that is missing is made.

    A shared one is only ever started by `state init`. `plain` as in open_shared_state. Raises
    InvalidSettings, StateError.
    """
    if not location.is_local:
        return OpenedState(open_shared_state(location, holder, plain=plain), is_new=False)
    from reconciler.state.local import LocalState

    path = location.path
    is_new = create and _is_empty(path)
    return OpenedState(LocalState.open(path, create=create), is_new)


def open_shared_state(
    location: StateLocation, holder: Holder, *, plain: bool = False
) -> SharedState:
    """Open a shared state. `plain`: also one that is not encrypted although there is a key.

    Raises InvalidSettings, StateError.
    """
    from reconciler.state.shared import SharedState

    backend = location.settings.backend
    assert not isinstance(backend, LocalBackend)
    keys = state_keys(location.settings, location.environ)
    store = _open_store(location, backend, holder)
    return SharedState(store, location.root / JOURNAL, keys, plain=plain)


def state_keys(settings: StateSettings, environ: Mapping[str, str]) -> Keys:
    """Return the keys that the state is encrypted with; InvalidSettings for one that is none."""
    from reconciler.state.encryption import Key, Keys, NoKey

    if settings.encryption is None:
        return Keys()

    def key(setting: Setting) -> Key:
        try:
            return Key.parse(_resolve(setting, environ))
        except NoKey as error:
            message = f"{setting.path}: {error}"
            raise _invalid(codes.RECORD_KEY, message, setting) from None

    previous: Key | None = None
    if settings.encryption.previous_key is not None:
        try:
            previous = key(settings.encryption.previous_key)
        except InvalidSettings as invalid:
            # Between two rotations there is none, and its variable is not set.
            if any(one.code is not codes.UNSET_VARIABLE for one in invalid.diagnostics):
                raise
    return Keys(key(settings.encryption.key), previous)


def settings_from_url(url: str, environ: Mapping[str, str], source: Source) -> StateSettings:
    """Return the settings that a URL, or the path of a file, stands for; `source` is where it is.

    Credentials are taken from the variables that the backend's settings have by convention, if all
    of them are set. Raises ValueError that lists the URLs that are known.
    """
    matched = _SCHEME.match(url)
    scheme = matched[1] if matched else None
    spec = BACKENDS["local"] if scheme is None else spec_of_scheme(scheme)
    if spec is None:
        known = ", ".join(known_urls())
        raise ValueError(
            f"{scheme}:// is no place for a state; known: {known}, or the path of a file"
        )
    texts = {spec.url_attribute: url}
    by_convention = {
        setting.attribute: environ.get(setting.variable, "")
        for setting in spec.settings
        if setting.variable is not None and setting.attribute != spec.url_attribute
    }
    if all(by_convention.values()):
        texts |= by_convention
    names = {setting.attribute: setting.name for setting in spec.settings}
    settings = {
        attribute: Setting(text.replace("${", "$ {"), f"state.{names[attribute]}", source)
        for attribute, text in texts.items()
    }
    # What a URL fills is text in each of them.
    return StateSettings(cast("Callable[..., Backend]", spec.settings_type)(**settings))


def _is_empty(path: Path) -> bool:
    # An empty file is a state that was cut off before it began, or emptied: as good as none.
    return not path.exists() or path.stat().st_size == 0


def _open_store(location: StateLocation, backend: SharedBackend, holder: Holder) -> Store:
    from reconciler.state.backends import open_store
    from reconciler.state.store import StoreContext

    def resolve_setting(setting: Setting) -> str:
        return _resolve(setting, location.environ)

    def require_trusted(setting: Setting, address: str) -> None:
        if not location.is_trusted:
            _require_trusted(setting, address, location.environ)

    context = StoreContext(resolve_setting, require_trusted, _connect_http, holder_name(holder))
    try:
        return open_store(backend, context)
    except ValueError as error:
        setting = getattr(backend, backend_spec(backend).url_attribute)
        raise _invalid(codes.STATE_SETTING, str(error), setting) from None


def _connect_http(
    *, username: str | None, password: Secret[str] | None, token: Secret[str] | None
) -> Http:
    from reconciler.api.credentials import BasicCredential
    from reconciler.api.sync_client import BearerCredential, SyncClient

    if token is not None:
        return SyncClient(BearerCredential(token))
    if username is not None and password is not None:
        return SyncClient(BasicCredential(username, password))
    return SyncClient()


def _require_trusted(setting: Setting, address: str, environ: Mapping[str, str]) -> None:
    """Refuse an address that stands in the file and names a host that nobody has allowed.

    One that the environment gives as a whole was chosen by whoever set the environment.
    """
    if setting.text != address and ":-" not in setting.text:
        return
    host = urlsplit(address).hostname or ""
    # GitLab names itself to its jobs.
    if host and (may_be_sent_to(host, environ) or host == environ.get("CI_SERVER_HOST")):
        return
    raise _invalid(
        codes.STATE_ADDRESS, f"The state and its credentials are not sent to {host}", setting
    )


def _resolve(setting: Setting, environ: Mapping[str, str]) -> str:
    try:
        return resolve_setting(setting, environ)
    except Unresolved as unresolved:
        raise InvalidSettings((unresolved.diagnostic,)) from None


def _invalid(code: Code, message: str, setting: Setting) -> InvalidSettings:
    return InvalidSettings((Diagnostic(code, message, setting.source),))
