"""The two validators say the same, and the schemas explain themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.core.value_limits import VALUE
from reconciler.manifest.schema import Shape
from reconciler.manifest.tree import Tree

from .reading import ROOT, SCHEMAS

SHAPES = {"project": SCHEMAS.project, "devices": SCHEMAS.devices}
FULL = {
    "apiVersion": "reconciler/v1",
    "kind": "Devices",
    "application": "courier",
    "people": {
        "ana": {
            "externalId": "c-1",
            "phoneNumber": "+385911234567",
            "email": "ana@example.com",
            "keepAsLead": True,
            "attributes": {
                "firstName": "Ana",
                "birthday": "1990-05-17",
                "gender": "FEMALE",
                "tags": ["courier"],
                "customAttributes": {"vehicle": "van", "since": 2019, "own": True},
            },
        }
    },
    "defaults": {"registrationEnabled": True, "owner": None, "additionalData": {"a": 1}},
    "devices": {
        "8621824C": {
            "label": "Ana's phone",
            "owner": {"email": "a@b"},
            "isPrimary": False,
            "additionalData": {"n": 1.5, "s": "x", "b": True, "gone": None},
            "lifecycle": {"protect": True, "ignore": ["owner"], "onRemove": "release"},
        },
        "empty": {},
    },
    "removed": {"1111": "depersonalize"},
}
PROJECT = {
    "apiVersion": "reconciler/v1",
    "kind": "Project",
    "api": {
        "baseUrl": "${URL}",
        "auth": {"basic": {"username": "a", "password": "b"}},
        "limits": {"get": 50, "persons": 2.5},
        "quotaShare": 0.8,
        "assume": {"promote": "keeps-others"},
    },
    "applications": {"courier": {"appCode": "c"}},
    "manifests": ["*.yaml"],
    "onRemove": "release",
    "onDrift": {"owner": "correct"},
    "privacy": {"hide": []},
    "safety": {},
    "state": {"backend": "local", "path": "x"},
}
ODD: list[Tree] = [
    None, True, False, 0, 1, -1, 1.0, 0.5, VALUE.largest, VALUE.smallest, 9.3e18, "", "x", "true",
    "null", "00385 91-1234567", "(+385)91.1234567", "+385 (0)91 1234567", "0\u00a0385 9112",
    "NULL", "release", "owner", "additionalData.x\n", "additionalData.", "+38591\n", "0385911",
    "a@b\n", "a@b@c", "..", ".", "a b", "é", "x\n", "ana", "x" * 256, "é" * 257, "🙂" * 256,
    "v" * 4097, "FEMALE", "1990-05-17\n", "correct", [], {}, ["owner", "owner"], [1, True], [None],
    {"x": 1}, {"externalId": "e"}, {"": 1}, {"n" * 257: 1}, {"..": {}}, {"a\n": {}}, {"a@b": {}},
]  # fmt: skip


def containers(tree: Tree) -> Iterator[dict[str, Tree] | list[Tree]]:
    if isinstance(tree, dict):
        yield tree
        for value in tree.values():
            yield from containers(value)
    elif isinstance(tree, list):
        yield tree
        for item in tree:
            yield from containers(item)


@st.composite
def mutated(draw: st.DrawFn, tree: Tree) -> Tree:
    """Return a copy of a valid document with one to three places changed."""
    root: list[Tree] = [deepcopy(tree)]
    for _ in range(draw(st.integers(1, 3))):
        target = draw(st.sampled_from(list(containers(root))))
        odd = deepcopy(draw(st.sampled_from(ODD)))
        if isinstance(target, list):
            target[draw(st.integers(0, len(target))) :] = [odd]
            continue
        keys = [*target, "owner", "label", "x", "os", "externalId", "n" * 257, "a b", ""]
        key = draw(st.sampled_from(keys))
        if draw(st.booleans()) and key in target:
            del target[key]
        else:
            target[key] = odd
    return root[0] if root else None


def same_verdict(shape: Shape, tree: Tree) -> None:
    violations = list(shape.violations(tree))
    assert shape.accepts(tree) == (not violations)


@given(tree=mutated(FULL))  # type: ignore[arg-type]
@example(tree=FULL)  # type: ignore[arg-type]
def test_both_validators_say_the_same_of_manifests(tree: Tree) -> None:
    """What the fast one refuses is explained, and what it accepts is not."""
    same_verdict(SCHEMAS.devices, tree)


@given(tree=mutated(PROJECT))  # type: ignore[arg-type]
@example(tree=PROJECT)  # type: ignore[arg-type]
def test_both_validators_say_the_same_of_projects(tree: Tree) -> None:
    """The same of the project file."""
    same_verdict(SCHEMAS.project, tree)


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:20])
@pytest.mark.parametrize("name", ["owner", "isPrimary", "additionalData", "lifecycle", "label"])
def test_both_validators_say_the_same_of_each_field(name: str, odd: Tree) -> None:
    """Every odd value in every field of a device, as value and as a value inside it."""
    for value in (odd, {"x": odd}, {"ignore": [odd]}, {"phoneNumber": odd}, {"email": odd}):
        document: Tree = {**FULL, "devices": {"d": {name: value}}}  # type: ignore[dict-item]
        same_verdict(SCHEMAS.devices, document)


def test_full_documents_are_accepted() -> None:
    """The documents that the mutations begin with are valid."""
    assert SCHEMAS.devices.accepts(FULL)  # type: ignore[arg-type]
    assert SCHEMAS.project.accepts(PROJECT)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["project", "devices"])
def test_every_property_has_title_description_and_example(name: str) -> None:
    """Editors complete and explain from the schema alone, and its examples are valid."""
    schema = json.loads((ROOT / "schemas" / f"{name}.schema.json").read_bytes())
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    bare: list[str] = []

    def look(node: dict[str, object], path: str) -> None:
        for key, one in node.items():
            if key in ("properties", "$defs"):
                assert isinstance(one, dict)
                for field, inner in one.items():
                    if "$ref" not in inner and not {"title", "description", "examples"} <= set(
                        inner
                    ):
                        bare.append(f"{path}.{field}")
                    look(inner, f"{path}.{field}")
            elif key in ("items", "additionalProperties") and isinstance(one, dict):
                look(one, f"{path}[]")
            if key == "examples" and path:
                shape = Shape(json.dumps({**node, "$defs": schema.get("$defs", {})}).encode())
                assert isinstance(one, list)
                assert all(shape.accepts(value) for value in one), path

    look(schema, "")
    assert bare == []
    assert all(SHAPES[name].accepts(value) for value in schema["examples"])
