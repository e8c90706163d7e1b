"""From settings or a URL to a state: which place it is, and to whom secrets are not sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from reconciler.cli.states import keys_of, open_shared, settings_of

from reconciler.core.project import (
    Encryption,
    HttpPlace,
    LocalPlace,
    ObjectStorePlace,
    PostgresPlace,
    Setting,
    StateSettings,
)
from reconciler.core.source import Source
from reconciler.engine.connection import Mistakes
from reconciler.state.encryption import Key

HERE = Source("reconciler.yaml", 9, 1)
OURS = "https://git.example.com/api/v4/projects/1/terraform/state/x"


def setting(text: str, path: str = "state.address") -> Setting:
    return Setting(text, path, HERE)


def http(address: str, **more: Setting) -> StateSettings:
    return StateSettings(HttpPlace(setting(address), **more))


def codes_of(settings: StateSettings) -> list[str]:
    """Open a shared state, and close it again; return the codes of what is wrong with it."""
    try:
        open_shared(Path(), settings).close()
    except Mistakes as mistakes:
        return [one.code.id for one in mistakes.diagnostics]
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
    monkeypatch: pytest.MonkeyPatch, address: str, variables: dict[str, str], codes: list[str]
) -> None:
    """A pull request cannot send the record, or the password for it, to another host."""
    for name in ("CI_SERVER_HOST", "RECONCILER_ALLOWED_HOSTS", "ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert codes == codes_of(http(address))


def test_a_lock_address_elsewhere_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """It gets the same password."""
    monkeypatch.setenv("CI_SERVER_HOST", "git.example.com")
    other = setting("https://evil.example/lock", "state.lockAddress")

    assert ["E315"] == codes_of(http(OURS, lock_address=other))


@pytest.mark.parametrize(
    ("url", "place"),
    [
        (".reconciler/other.db", LocalPlace),
        ("s3://bucket/path", ObjectStorePlace),
        ("file:///srv/reconciler", ObjectStorePlace),
        ("postgresql://db/reconciler", PostgresPlace),
        (OURS, HttpPlace),
    ],
)
def test_a_url_names_its_backend(url: str, place: type) -> None:
    """By its scheme; what has none is the path of a file."""
    assert isinstance(settings_of(url).place, place)


def test_what_was_typed_needs_no_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever types an address means it; the same one in a file is another's word."""
    for name in ("CI_SERVER_HOST", "RECONCILER_ALLOWED_HOSTS"):
        monkeypatch.delenv(name, raising=False)

    assert [] == codes_of(settings_of(OURS))
    assert ["E315"] == codes_of(http(OURS))


def test_another_scheme_is_no_place() -> None:
    """The message lists those that are."""
    with pytest.raises(ValueError, match="ftp:// is no place for a record; known: s3://"):
        settings_of("ftp://host/x")


def test_keys_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A previous key whose variable is not set is none: so it is between two rotations."""
    monkeypatch.setenv("NEW", "11" * 32)
    monkeypatch.delenv("OLD", raising=False)
    encryption = Encryption(setting("${NEW}", "key"), setting("${OLD}", "previousKey"))
    settings = StateSettings(LocalPlace(setting("x")), encryption)

    assert keys_of(settings).current == Key.parse("11" * 32)
    assert keys_of(settings).previous is None
    monkeypatch.setenv("OLD", "22" * 32)
    assert keys_of(settings).previous == Key.parse("22" * 32)


@pytest.mark.parametrize(("value", "code"), [("", "E307"), ("too-short", "E611")])
def test_a_key_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch, value: str, code: str) -> None:
    """Without showing it."""
    monkeypatch.setenv("NEW", value)
    settings = StateSettings(
        LocalPlace(setting("x")), Encryption(setting("${NEW}", "state.encryption.key"))
    )
    with pytest.raises(Mistakes) as raised:
        keys_of(settings)
    (found,) = raised.value.diagnostics

    assert code == found.code.id
    assert "state.encryption.key" in found.message
    assert not value or value not in found.message
