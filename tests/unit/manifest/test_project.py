"""The project file becomes a Project whose references are unresolved."""

from __future__ import annotations

import pytest

from reconciler.core import codes
from reconciler.core.device import OnRemove
from reconciler.core.project import ApiKey, Basic, Ibsso, OAuth2, Project
from reconciler.core.setting import Setting
from reconciler.core.source import Source
from reconciler.core.state_backends import (
    HttpBackend,
    LocalBackend,
    ObjectStoreBackend,
    PostgresBackend,
)
from reconciler.manifest.interpolation import Unresolved, check_base_url, resolve_setting
from reconciler.manifest.project import read_project
from reconciler.manifest.result import Unreadable

from .reading import PROJECT_TEXT, SCHEMAS, mistakes, project

FILE = "reconciler.yaml"


def place(found: Project) -> LocalBackend:
    """Return the local place of a project's state."""
    assert isinstance(found.state.backend, LocalBackend)
    return found.state.backend


def test_the_least_project_has_the_defaults_of_the_design() -> None:
    """What is left out: limits and assumptions empty, 0.8 of the quota, a local state."""
    found = project()
    assert found.api.base_url == Setting("${BASE_URL}", "api.baseUrl", Source(FILE, 4, 12))
    assert found.api.auth == ApiKey(Setting("${API_KEY}", "api.auth.apiKey", Source(FILE, 5, 18)))
    assert (found.api.limits, found.api.quota_share, found.api.assume) == ({}, 0.8, {})
    assert found.api.timeout == 30.0
    assert list(found.applications) == ["courier", "shop"]
    assert found.applications["shop"].source == Source(FILE, 8, 3)
    assert found.applications["shop"].app_code.path == "applications.shop.appCode"
    assert [pattern.text for pattern in found.manifests] == ["devices/**/*.yaml"]
    assert place(found).path.text == ".reconciler/state.db"
    assert (found.on_remove, found.on_drift) == (OnRemove.RELEASE, {})


def test_everything_that_can_be_said() -> None:
    """The whole of the format is read."""
    found = project(
        PROJECT_TEXT.replace(
            "applications:",
            "  limits: {get: 20, persons: 2.5}\n  quotaShare: 1\n  timeout: 2.5\n"
            "  assume: {personalize-owned-by-other: 409, promote: keeps-others}\napplications:",
        )
        + "onRemove: depersonalize\nonDrift: {owner: correct, isPrimary: report}\n"
        "privacy: {hide: []}\nsafety: {}\nstate: {backend: local, path: '${STATE:-x.db}'}\n"
    )
    assert found.api.limits == {"get": 20.0, "persons": 2.5}
    assert (found.api.quota_share, found.api.timeout) == (1.0, 2.5)
    assert found.api.assume == {"personalize-owned-by-other": "409", "promote": "keeps-others"}
    assert found.on_remove is OnRemove.DEPERSONALIZE
    assert found.on_drift == {"owner": "correct", "isPrimary": "report"}
    assert place(found).path.text == "${STATE:-x.db}"


@pytest.mark.parametrize(("text", "code"), [("0", "E154"), ("301", "E154"), ('"30"', "E151")])
def test_a_timeout_that_is_none(text: str, code: str) -> None:
    """More than nothing and five minutes at most; the diagnostic says so."""
    written = PROJECT_TEXT.replace("applications:", f"  timeout: {text}\napplications:")
    found = read_project(FILE, written.encode(), SCHEMAS)
    assert mistakes(found) == [f"reconciler.yaml:6:12 {code}"]
    assert "at most 300" in found.diagnostics[0].why


@pytest.mark.parametrize(
    ("auth", "kind"),
    [
        ("{basic: {username: u, password: p}}", Basic),
        ("{oauth2: {clientId: i, clientSecret: s}}", OAuth2),
        ("{ibsso: {token: t}}", Ibsso),
    ],
)
def test_the_other_ways_to_authenticate(auth: str, kind: type) -> None:
    """One of four; its settings know their paths."""
    found = project(PROJECT_TEXT.replace('{apiKey: "${API_KEY}"}', auth))
    assert type(found.api.auth) is kind


def test_a_project_that_cannot_be_read() -> None:
    """A missing or forbidden file is a diagnostic like all others."""
    found = read_project(FILE, Unreadable("permission denied"), SCHEMAS)
    assert (found.value, mistakes(found)) == (None, ["reconciler.yaml:1:1 E101"])


def setting(text: str) -> Setting:
    return Setting(text, "api.auth.apiKey", Source(FILE, 5, 18))


@pytest.mark.parametrize(
    ("text", "environ", "value"),
    [
        ("literal", {}, "literal"),
        ("${A}", {"A": "x"}, "x"),
        ("${A:-y}", {"A": "x"}, "x"),
        ("${A:-y}", {}, "y"),
        ("${A:-y}", {"A": ""}, "y"),
        ("${A:-b:-c}", {}, "b:-c"),
        ("$A", {"A": "x"}, "$A"),
    ],
)
def test_resolving(text: str, environ: dict[str, str], value: str) -> None:
    """As a shell does it: a default stands in for unset and for empty."""
    assert resolve_setting(setting(text), environ) == value


@pytest.mark.parametrize(
    ("text", "environ", "state"),
    [("${A}", {}, "not set"), ("${A}", {"A": ""}, "empty"), ("${A:-}", {}, "not set")],
)
def test_what_cannot_be_resolved(text: str, environ: dict[str, str], state: str) -> None:
    """The diagnostic names setting and variable, at the place of the setting."""
    with pytest.raises(Unresolved) as raised:
        resolve_setting(setting(text), environ)
    diagnostic = raised.value.diagnostic
    assert (diagnostic.code, diagnostic.source) == (codes.UNSET_VARIABLE, Source(FILE, 5, 18))
    assert (
        f"api.auth.apiKey needs the environment variable A, which is {state}" == diagnostic.message
    )


ALLOWED = {"RECONCILER_ALLOWED_HOSTS": "proxy.corp.test, other.test:8443 http://stub:8080"}


@pytest.mark.parametrize(
    "url",
    [
        "https://xyz.api.infobip.com",
        "https://XYZ.API.INFOBIP.COM/",
        "https://api.infobip.com:443",
        "http://127.0.0.1:8765",
        "http://127.8.9.1",
        "http://localhost:1/",
        "https://[::1]:8080",
        "https://proxy.corp.test",
        "https://proxy.corp.test:9000/infobip",
        "https://other.test:8443",
        "http://stub:8080",
    ],
)
def test_base_urls_that_keys_may_go_to(url: str) -> None:
    """Infobip by https, this machine, and what the environment allows."""
    assert check_base_url(url, ALLOWED, setting("${URL}")) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://xyz.api.infobip.com",
        "https://infobip.com.evil.test",
        "https://evilinfobip.com",
        "https://infobip.com",
        "https://evil.test/.infobip.com",
        "https://evil.test#.infobip.com",
        "https://evil.test?.infobip.com",
        "https://evil.test\\.infobip.com",
        "https://user@evil.test",
        "https://x.infobip.com@evil.test",
        "https://x.infobip.com:pass@evil.test",
        "https://x.infobip.com.",
        "https://x.infobip.com/?q",
        "https://x.infobip.com/../..//evil",
        " https://x.infobip.com",
        "https://x.infobip.com\n",
        "https://ınfobip.infobip.com",
        "https://localhost.evil.test",
        "https://127.0.0.1.evil.test",
        "https://2130706433",
        "https://0x7f.1",
        "https://[::ffff:8.8.8.8]",
        "ftp://x.infobip.com",
        "//x.infobip.com",
        "x.infobip.com",
        "",
        "http://proxy.corp.test",
        "https://other.test",
        "https://other.test:1",
        "http://stub:8081",
    ],
)
def test_base_urls_that_no_key_goes_to(url: str) -> None:
    """Whatever a parser could take for another host is refused."""
    diagnostic = check_base_url(url, ALLOWED, setting("${URL}"))
    assert diagnostic is not None
    assert (diagnostic.code, diagnostic.source) == (codes.BASE_URL, Source(FILE, 5, 18))


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("{backend: objectstore, url: 's3://b/p'}", ObjectStoreBackend, {"url": "s3://b/p"}),
        (
            "{backend: postgres, url: '${DSN}', name: fleet}",
            PostgresBackend,
            {"url": "${DSN}", "name": "fleet"},
        ),
        (
            "{backend: http, address: https://h/s, lockAddress: https://h/s/lock, lockMethod: POST,"
            " unlockMethod: DELETE, username: ci, password: '${T}'}",
            HttpBackend,
            {
                "address": "https://h/s",
                "lock_address": "https://h/s/lock",
                "unlock_address": None,
                "lock_method": "POST",
                "unlock_method": "DELETE",
                "update_method": None,
                "username": "ci",
                "password": "${T}",
                "token": None,
            },
        ),
    ],
)
def test_where_a_shared_record_lives(text: str, kind: type, said: dict[str, str | None]) -> None:
    """Each backend with what it takes; what is left out is left to the backend."""
    found = project(PROJECT_TEXT + f"state: {text}\n").state

    assert isinstance(found.backend, kind)
    values = {name: getattr(found.backend, name) for name in said}
    assert said == {
        name: value.text if isinstance(value, Setting) else value for name, value in values.items()
    }
    assert found.encryption is None


def test_a_shared_record_can_be_encrypted() -> None:
    """With the key of now, and the one before it."""
    found = project(
        PROJECT_TEXT + "state:\n  backend: objectstore\n  url: s3://b/p\n"
        "  encryption: {key: '${NEW}', previousKey: '${OLD}'}\n"
    ).state.encryption

    assert found is not None
    assert found.previous_key is not None
    assert ("${NEW}", "${OLD}") == (found.key.text, found.previous_key.text)
