"""From settings or a URL to a state: which place it is, and to whom secrets are not sent."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from reconciler.core.setting import Setting
from reconciler.core.source import Source
from reconciler.core.state_backends import (
    Encryption,
    HttpBackend,
    LocalBackend,
    ObjectStoreBackend,
    PostgresBackend,
    StateSettings,
)
from reconciler.engine.errors import InvalidSettings
from reconciler.engine.holder import current_holder
from reconciler.engine.state_access import (
    StateLocation,
    open_shared_state,
    settings_from_url,
    state_keys,
)
from reconciler.state.encryption import Key

HERE = Source("reconciler.yaml", 9, 1)
TYPED = Source("--to", 1, 1)
OURS = "https://git.example.com/api/v4/projects/1/terraform/state/x"


def setting(text: str, path: str = "state.address") -> Setting:
    return Setting(text, path, HERE)


def http(address: str, **more: Setting) -> StateSettings:
    return StateSettings(HttpBackend(setting(address), **more))


def codes_of(
    settings: StateSettings, environ: Mapping[str, str], *, is_trusted: bool = False
) -> list[str]:
    """Open a shared state, and close it again; return the codes of what is wrong with it."""
    location = StateLocation(Path(), settings, environ, is_trusted=is_trusted)
    try:
        open_shared_state(location, current_holder(environ)).close()
    except InvalidSettings as invalid:
        return [one.code.id for one in invalid.diagnostics]
    return []


@pytest.mark.parametrize(
    ("address", "variables", "codes"),
    [
        (OURS, {}, ["E315"]),
        (OURS, {"CI_SERVER_HOST": "git.example.com"}, []),
        (OURS, {"CI_SERVER_HOST": "example.com"}, ["E315"]),
        (OURS, {"RECONCILER_ALLOWED_HOSTS": "git.example.com"}, []),
        (OURS, {"RECONCILER_ALLOWED_HOSTS": "example.com"}, ["E315"]),
        ("${ADDRESS}", {"ADDRESS": OURS}, []),
        ("${ADDRESS}", {}, ["E307"]),
        (f"${{ADDRESS:-{OURS}}}", {}, ["E315"]),
        ("http://127.0.0.1:8080/state", {}, []),
        ("ftp://127.0.0.1/state", {}, ["E314"]),
        ("https://user:secret@127.0.0.1/state", {}, ["E314"]),
    ],
)
def test_an_address_in_the_file_is_trusted_by_the_environment_only(
    address: str, variables: dict[str, str], codes: list[str]
) -> None:
    """A pull request cannot send the state, or the password for it, to another host."""
    assert codes == codes_of(http(address), variables)


def test_a_lock_address_elsewhere_is_refused_too() -> None:
    """It gets the same password."""
    environ = {"CI_SERVER_HOST": "git.example.com"}
    other = setting("https://evil.example/lock", "state.lockAddress")

    assert ["E315"] == codes_of(http(OURS, lock_address=other), environ)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        (".reconciler/other.db", LocalBackend),
        ("s3://bucket/path", ObjectStoreBackend),
        ("file:///srv/reconciler", ObjectStoreBackend),
        ("postgresql://db/reconciler", PostgresBackend),
        (OURS, HttpBackend),
    ],
)
def test_a_url_names_its_backend(url: str, place: type) -> None:
    """By its scheme; what has none is the path of a file."""
    assert isinstance(settings_from_url(url, {}, TYPED).backend, place)


def test_what_was_typed_needs_no_trust() -> None:
    """Whoever types an address means it; the same one in a file is another's word."""
    assert [] == codes_of(settings_from_url(OURS, {}, TYPED), {}, is_trusted=True)
    assert ["E315"] == codes_of(http(OURS), {})


@pytest.mark.parametrize(
    ("environ", "login"),
    [
        ({}, None),
        ({"TF_HTTP_USERNAME": "ci"}, None),
        ({"TF_HTTP_USERNAME": "ci", "TF_HTTP_PASSWORD": ""}, None),
        ({"TF_HTTP_USERNAME": "ci", "TF_HTTP_PASSWORD": "hush"}, ("ci", "hush")),
    ],
)
def test_credentials_for_a_typed_address_are_those_of_terraform(
    environ: dict[str, str], login: tuple[str, str] | None
) -> None:
    """Both or none: half of them is no way in."""
    backend = settings_from_url(OURS, environ, TYPED).backend

    assert isinstance(backend, HttpBackend)
    given = backend.username and backend.password and (backend.username.text, backend.password.text)
    assert login == given


def test_another_scheme_is_no_place() -> None:
    """The message lists those that are."""
    with pytest.raises(ValueError, match="ftp:// is no place for a state; known: s3://"):
        settings_from_url("ftp://host/x", {}, TYPED)


def test_keys_come_from_the_environment() -> None:
    """A previous key whose variable is not set is none: so it is between two rotations."""
    environ = {"NEW": "11" * 32}
    encryption = Encryption(setting("${NEW}", "key"), setting("${OLD}", "previousKey"))
    settings = StateSettings(LocalBackend(setting("x")), encryption)

    assert state_keys(settings, environ).current == Key.parse("11" * 32)
    assert state_keys(settings, environ).previous is None
    environ |= {"OLD": "22" * 32}
    assert state_keys(settings, environ).previous == Key.parse("22" * 32)


@pytest.mark.parametrize(("value", "code"), [("", "E307"), ("too-short", "E611")])
def test_a_key_that_is_none_is_told(value: str, code: str) -> None:
    """Without showing it."""
    settings = StateSettings(
        LocalBackend(setting("x")), Encryption(setting("${NEW}", "state.encryption.key"))
    )
    with pytest.raises(InvalidSettings) as raised:
        state_keys(settings, {"NEW": value})
    (found,) = raised.value.diagnostics

    assert code == found.code.id
    assert "state.encryption.key" in found.message
    assert not value or value not in found.message
