"""The table of backends is whole: what is forgotten of a further one fails here, or in mypy."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, get_args

import pytest

from reconciler.cli.views.state import state_section
from reconciler.core import codes
from reconciler.core.setting import Setting
from reconciler.core.source import Source
from reconciler.core.state_backends import (
    BACKENDS,
    Backend,
    BackendSpec,
    HttpBackend,
    LocalBackend,
    ObjectStoreBackend,
    PostgresBackend,
    SharedBackend,
    backend_spec,
    known_urls,
    setting_values,
)
from reconciler.state.backends import open_store
from reconciler.state.store import StoreContext
from tests.contract.places import PLACES, PLACES_OF_BACKEND

from .test_postgres import refused

ROOT: Final = Path(__file__).resolve().parents[3]
HERE: Final = Source("reconciler.yaml", 9, 1)
SECRET_NAME: Final = re.compile(r"password|token|secret|key", re.IGNORECASE)
each_backend = pytest.mark.parametrize("spec", BACKENDS.values(), ids=BACKENDS)


def setting(text: str) -> Setting:
    return Setting(text, "state.x", HERE)


def schema() -> Mapping[str, Mapping[str, Mapping[str, object]]]:
    """Return the schema of the section `state`."""
    text = (ROOT / "schemas" / "project.schema.json").read_text("utf-8")
    found: Mapping[str, Mapping[str, Mapping[str, object]]] = json.loads(text)["properties"][
        "state"
    ]
    return found


def test_every_backend_has_a_row() -> None:
    """And each row is one of the backends that mypy counts; shared is all but the local file."""
    assert set(get_args(Backend)) == {spec.settings_type for spec in BACKENDS.values()}
    assert set(get_args(SharedBackend)) == {
        spec.settings_type for spec in BACKENDS.values() if spec.is_shared
    }
    assert get_args(Backend) == (LocalBackend, *get_args(SharedBackend))


def test_the_schema_knows_the_same_backends_and_settings() -> None:
    """Else a project file that is right would be refused, or one that is wrong let in."""
    properties = schema()["properties"]
    settings = {name for spec in BACKENDS.values() for name in spec.names}

    assert list(BACKENDS) == properties["backend"]["enum"]
    assert {"backend", *settings} == set(properties)


@each_backend
def test_the_schema_says_of_which_backend_a_setting_is(spec: BackendSpec) -> None:
    """Its description begins with the name, or has it at the beginning of a sentence."""
    descriptions = {
        setting.name: str(schema()["properties"][setting.name]["description"])
        for setting in spec.settings
    }
    assert f"{spec.name}: " in str(schema()["properties"]["backend"]["description"])
    assert [name for name, text in descriptions.items() if f"{spec.name}: " not in text] == []


@each_backend
def test_the_schema_has_the_same_defaults(spec: BackendSpec) -> None:
    """A default of the dataclass, or of a setting that is left out."""
    properties = schema()["properties"]
    for one in spec.settings:
        if one.default is not None:
            assert one.default == properties[one.name]["default"]


def test_a_scheme_means_one_backend() -> None:
    """And every shared one can be meant, so that a state can be copied to it."""
    schemes = [
        scheme for spec in BACKENDS.values() for scheme in (*spec.schemes, *spec.other_schemes)
    ]

    assert len(schemes) == len(set(schemes))
    assert all(spec.schemes for spec in BACKENDS.values() if spec.is_shared)


@each_backend
def test_its_url_is_a_setting_that_it_needs(spec: BackendSpec) -> None:
    """No other one is needed, or a URL would not be enough to open it."""
    needed = [one.attribute for one in spec.settings if one.is_required or one.default is not None]

    assert [spec.url_attribute] == needed


@each_backend
def test_its_secrets_are_marked(spec: BackendSpec) -> None:
    """Doctor warns of one that stands in the project file itself."""
    unmarked = [
        one.name for one in spec.settings if SECRET_NAME.search(one.name) and not one.is_secret
    ]
    assert unmarked == []


@each_backend
def test_what_it_needs_is_an_extra(spec: BackendSpec) -> None:
    """What we tell people to install must be there to be installed."""
    if spec.needs is not None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
        packages = project["optional-dependencies"][spec.needs.extra]
        assert any(package.startswith(spec.needs.module) for package in packages)


@each_backend
def test_it_keeps_the_contract_of_stores(spec: BackendSpec) -> None:
    """tests/contract opens at least one place of each shared backend."""
    if spec.is_shared:
        assert PLACES_OF_BACKEND[spec.name]
    assert set(PLACES) >= set(PLACES_OF_BACKEND.get(spec.name, ()))


@each_backend
def test_the_readme_says_how_to_set_it(spec: BackendSpec) -> None:
    """In the table of backends, with the extra that it needs."""
    readme = (ROOT / "README.md").read_text("utf-8")
    (row,) = (line for line in readme.splitlines() if line.startswith(f"| `{spec.name}` |"))

    assert all(f"`{one.name}" in row for one in spec.settings if one.is_required)
    assert spec.needs is None or f"[{spec.needs.extra}]" in row


@pytest.mark.parametrize(
    ("backend", "text"),
    [
        (LocalBackend(setting("x.db")), "state: {backend: local, path: x.db}"),
        (
            ObjectStoreBackend(setting("s3://b/p")),
            "state: {backend: objectstore, url: s3://b/p}",
        ),
        (
            PostgresBackend(setting("postgres://ana:hush@h/d")),
            "state: {backend: postgres, url: '${RECONCILER_STATE_URL}'}",
        ),
        (HttpBackend(setting("https://h/s")), "state:\n  backend: http\n  address: https://h/s"),
        (
            HttpBackend(setting("https://h/s"), username=setting("ana"), password=setting("hush")),
            "state:\n  backend: http\n  address: https://h/s\n"
            "  username: ${TF_HTTP_USERNAME}\n  password: ${TF_HTTP_PASSWORD}",
        ),
    ],
)
def test_a_section_to_copy_shows_no_password(backend: Backend, text: str) -> None:
    """What is best kept in a variable is named by it."""
    assert text == state_section(backend)


@each_backend
def test_the_texts_list_it(spec: BackendSpec) -> None:
    """They are made of the table."""
    assert f"{spec.name} {spec.summary}" in codes.STATE_SETTING.why
    assert {f"{scheme}://" for scheme in spec.schemes} <= set(known_urls())


def test_a_backend_lists_the_values_that_it_has() -> None:
    """In the order of the project file's documentation, without what is left to the backend."""
    backend = HttpBackend(setting("a"), lock_method="POST", token=setting("t"))

    assert [("address", "a"), ("lockMethod", "POST"), ("token", "t")] == [
        (one.name, value if isinstance(value, str) else value.text)
        for one, value in setting_values(backend)
    ]
    assert backend_spec(backend) is BACKENDS["http"]


def test_without_the_package_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra; asked for when the store is opened, so that no store can forget it."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    backend = PostgresBackend(setting("postgres://ana:hush@host/db"))

    def unused(**_: object) -> None:
        raise AssertionError("PostgreSQL is not spoken to over HTTP")

    context = StoreContext(lambda one: one.text, lambda *_: None, unused, "ana@here")
    said = refused(lambda: open_store(backend, context), codes.STORE_UNUSABLE)

    assert said.endswith("install it with: pip install 'push-reconciler[postgres]'")
