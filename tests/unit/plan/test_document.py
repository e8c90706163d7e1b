"""The plan document: its schema, its round trip, and that nothing else is taken for one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from jsonschema import Draft202012Validator

from reconciler.core.digest import Digester
from reconciler.core.secret import Secret
from reconciler.plan.document import InvalidPlan, decode, encode, is_sealed, sealed
from tests import fleet, plans

ROOT: Final = Path(__file__).resolve().parents[3]
SCHEMA: Final = json.loads((ROOT / "schemas" / "plan.schema.json").read_text("utf-8"))


def swap() -> bytes:
    """A plan with calls of every kind of edge, drift aside."""
    service = fleet.Service(
        fleet.person(
            1,
            fleet.external("ana"),
            owns=[fleet.registration("a", is_primary=True, data={"theirs": 1})],
        ),
        fleet.person(2, fleet.external("bob"), owns=[fleet.registration("b")]),
        unowned=[fleet.registration("c")],
    )
    declared = fleet.desired(
        fleet.device("a", owner=fleet.owner("bob"), is_primary=True, data={"k": 1.5, "old": None}),
        fleet.device("b", owner=None),
        fleet.device("c", owner=fleet.owner("new"), label="Spare"),
        fleet.device("gone"),
    )
    return encode(fleet.plan(declared, service))


def described(schema: Any, path: str = "") -> Iterator[str]:
    """Yield the properties that lack a description or an example."""
    for name, one in schema.get("properties", {}).items():
        if not one.get("description") or not one.get("examples"):
            yield f"{path}.{name}"
        yield from described(one, f"{path}.{name}")
        yield from described(one.get("items", {}), f"{path}.{name}[]")


def test_every_property_is_described_with_an_example() -> None:
    """Editors and readers of the document find each field explained."""
    assert [] == list(described(SCHEMA))


@pytest.mark.parametrize("document", [swap(), encode(plans.everything()), encode(plans.empty())])
def test_plans_are_as_their_schema_says(document: bytes) -> None:
    """The schema that ships is the format that is written."""
    found = Draft202012Validator(SCHEMA).iter_errors(json.loads(document))
    assert [] == [error.json_path for error in found]


def test_the_schema_refuses_what_is_no_plan() -> None:
    """A field too many or too few is seen."""
    document = json.loads(swap())
    more, less = {**document, "extra": 1}, {**document}
    del less["calls"]
    validator = Draft202012Validator(SCHEMA)
    assert (False, False) == (validator.is_valid(more), validator.is_valid(less))


def test_a_plan_comes_back_as_it_was() -> None:
    """decode(encode(p)) == p, and the bytes are the same again."""
    assert encode(decode(swap())) == swap()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b'"forceDepersonalize": "true"', b'"forceDepersonalize": "false"', "digest"),
        (b'"after": 1.5', b'"after": 2.5', "digest"),
        (b'"formatVersion": "1.0"', b'"formatVersion": "2.0"', "format version '2.0'"),
        (b'"calls": [', b'"kalls": [', "not a whole plan document"),
        (b'"reads": {', b'"reads": 1, "x": {', "not a whole plan document"),
    ],
)
def test_a_changed_plan_is_refused(old: bytes, new: bytes, said: str) -> None:
    """Whatever was changed, the message says what is wrong with it."""
    document = swap()
    assert old in document
    with pytest.raises(InvalidPlan, match=said):
        decode(document.replace(old, new, 1))


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\x00\xff", b"null", b"{", swap()[:-200]])
def test_other_files_are_not_plans(data: bytes) -> None:
    """Empty, binary, truncated: a BadPlan with a message, never a crash."""
    with pytest.raises(InvalidPlan) as caught:
        decode(data)
    assert str(caught.value)


def test_id_and_time_do_not_change_the_digest() -> None:
    """Two plans of the same inputs have one digest."""
    first = json.loads(swap())
    again = {**first, "id": "another", "createdAt": "2027-01-01T00:00:00Z"}
    assert decode(json.dumps(again).encode()).digest == first["digest"]


def test_the_examples_of_the_schema_are_valid() -> None:
    """What the schema shows as an example is one."""
    wrong = [
        f"{path}: {error.message}"
        for path, schema in parts(SCHEMA)
        for example in schema.get("examples", ())
        for error in Draft202012Validator(schema).iter_errors(example)
    ]
    assert [] == wrong


def parts(schema: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield a schema and those of its properties and items, with their paths."""
    yield path, schema
    for name, one in schema.get("properties", {}).items():
        yield from parts(one, f"{path}.{name}")
    if "items" in schema:
        yield from parts(schema["items"], f"{path}[]")


def test_the_seal_needs_the_key_of_the_record() -> None:
    """A forger could make the digest anew, but has no key."""
    made = decode(swap())
    assert is_sealed(made, fleet.DIGESTER)
    forged = msgspec.structs.replace(made, calls=())
    assert not is_sealed(sealed(forged, Digester(Secret(b"f" * 32))), fleet.DIGESTER)


@pytest.mark.parametrize("given", ["", "../x", "a" * 65, "a\x1b[31m"])
def test_an_id_that_we_do_not_give_is_refused(given: str) -> None:
    """It would name rows of the journal."""
    with pytest.raises(InvalidPlan, match="id of the plan"):
        decode(encode(msgspec.structs.replace(decode(swap()), id=given)))
