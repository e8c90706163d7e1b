"""Settings and the environment: all that is missing at once, nothing that is not needed."""

from __future__ import annotations

import pytest

from reconciler.api.credentials import ApiKeyCredential
from reconciler.core.project import Project
from reconciler.core.secret import Secret
from reconciler.engine.connection import resolve_connection
from reconciler.engine.errors import InvalidSettings
from reconciler.engine.shipped_files import schema_bytes
from reconciler.manifest.project import read_project
from reconciler.manifest.schema import Schemas

TEXT = """\
apiVersion: reconciler/v1
kind: Project
api:
  baseUrl: ${URL}
  auth: {apiKey: "${KEY}"}
  limits: {get: 100}
applications:
  courier: {appCode: "${COURIER}"}
  shop: {appCode: "${SHOP}"}
manifests: [devices.yaml]
"""


@pytest.fixture(scope="module")
def project() -> Project:
    schemas = Schemas({name: schema_bytes(name) for name in ("project", "devices")})
    found = read_project("reconciler.yaml", TEXT.encode(), schemas).value
    assert found is not None
    return found


def test_everything_missing_is_told_at_once(project: Project) -> None:
    """One run names every variable that is not set, each at its place."""
    with pytest.raises(InvalidSettings) as caught:
        resolve_connection(project, {"courier"}, {})

    places = [str(one.source) for one in caught.value.diagnostics]
    assert places == ["reconciler.yaml:4:12", "reconciler.yaml:5:18", "reconciler.yaml:8:22"]


def test_a_key_is_sent_to_nobody_else(project: Project) -> None:
    """A base URL elsewhere is refused before any call."""
    with pytest.raises(InvalidSettings) as caught:
        resolve_connection(project, (), {"URL": "https://evil.example", "KEY": "k"})

    assert [one.code.slug for one in caught.value.diagnostics] == ["base-url"]


def test_only_used_applications_must_be_set(project: Project) -> None:
    """The code of an application that no device uses may be missing."""
    environ = {"URL": "http://127.0.0.1:1", "KEY": "k", "COURIER": "c"}
    link = resolve_connection(project, {"courier"}, environ)

    assert link.app_codes == {"courier": "c"}
    assert link.credential == ApiKeyCredential(Secret("k"))
    assert {name.value: rate for name, rate in link.rates.items()} == {
        "get": 80.0,
        "update": 40.0,
        "personalize": 40.0,
        "depersonalize": 40.0,
        "persons": 4.0,
        "applications": 4.0,
        "match": 12.0,
    }
