"""One table says how long and how large a value may be; schemas, model and import say the same."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.core.value_limits import ANY_KEY, PHONE_DIGITS, VALUE_LIMITS, ValueLimit
from reconciler.manifest.schema import Shape
from reconciler.platform import operations
from reconciler.platform.step import step
from reconciler.platform.world import Registration, World

ROOT = Path(__file__).parents[3]
KEYWORDS = ("minLength", "maxLength", "minimum", "maximum")
# What these limit is for people who read a plan, and never sent; or no value at all.
OURS = {"application", "people (name)", "devices.KEY.label", "devices.KEY.owner"}


def load(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((ROOT / "schemas" / f"{name}.schema.json").read_bytes())
    return document


def limited(document: dict[str, Any], schema: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield the path of every value that a schema limits, and its keywords."""
    while "$ref" in schema:
        schema = document["$defs"][schema["$ref"].rpartition("/")[2]]
    found = {word: schema[word] for word in KEYWORDS if word in schema}
    if found:
        yield path, found
    if "propertyNames" in schema:
        for _, found in limited(document, schema["propertyNames"], ""):
            yield f"{path} (name)", found
    for name, inner in schema.get("properties", {}).items():
        yield from limited(document, inner, f"{path}.{name}".lstrip("."))
    for word in ("items", "then"):
        if word in schema:
            yield from limited(document, schema[word], path)
    if isinstance(more := schema.get("additionalProperties"), dict):
        yield from limited(document, more, f"{path}.{ANY_KEY}")


def keywords(limit: ValueLimit) -> dict[str, int]:
    said = {
        "minLength": limit.shortest or None,
        "maxLength": limit.longest,
        "minimum": limit.smallest,
        "maximum": limit.largest,
    }
    return {word: value for word, value in said.items() if value is not None}


def of_table(prefixes: Mapping[str, tuple[str, ...]]) -> dict[str, dict[str, int]]:
    """Return what the schemas have to say; `prefixes` are where fields stand, by their first word.

    A phone number's digits are counted by its pattern.
    """
    wanted: dict[str, dict[str, int]] = {}
    for field, limits in VALUE_LIMITS.items():
        if field == "phoneNumber":
            continue
        for limit in limits:
            name = f"{field.removesuffix('.' + ANY_KEY)} (name)" if limit.of_name else field
            for prefix in prefixes.get(field.partition(".")[0], prefixes["person"]):
                wanted[f"{prefix}{name}"] = keywords(limit)
    return wanted


@pytest.mark.parametrize(
    ("name", "prefixes"),
    [
        (
            "devices",
            {
                "additionalData": ("defaults.", "devices.KEY."),
                "person": ("people.KEY.", "defaults.owner.", "devices.KEY.owner."),
            },
        ),
        ("people", {"additionalData": (), "person": ("people.KEY.",)}),
    ],
)
def test_the_schemas_say_what_the_table_says(
    name: str, prefixes: dict[str, tuple[str, ...]]
) -> None:
    """Every limit of a value that is sent stands in the table, and the other way round."""
    document = load(name)
    said = {
        path: found
        for path, found in limited(document, document, "")
        if path not in OURS and path != "defaults.owner"
    }
    assert of_table(prefixes) == said


def person(**values: Any) -> dict[str, Any]:
    return {"externalId": "c-1", **values}


def samples() -> Iterator[Any]:
    """Yield people and data at each limit and one beyond, and whether they are allowed."""
    for field, limits in VALUE_LIMITS.items():
        for limit in limits:
            for value, allowed in _values(field, limit):
                yield pytest.param(
                    *_placed(field, value, limit.of_name),
                    allowed,
                    id=f"{field}-{'name' if limit.of_name else 'value'}-{str(value)[:9]}"
                    f"-{len(str(value))}",
                )


def _values(field: str, limit: ValueLimit) -> Iterator[tuple[Any, bool]]:
    def text(length: int) -> str:
        if field == "phoneNumber":
            return "3" * length
        return f"a@{'b' * (length - 2)}" if field == "email" else "x" * length

    if limit.longest is not None:
        yield text(limit.longest), True
        yield text(limit.longest + 1), False
    if limit.shortest:
        yield text(limit.shortest), True
        yield text(limit.shortest - 1), False
    if limit.largest is not None and limit.smallest is not None:
        yield from ((limit.largest, True), (limit.largest + 1, False))
        yield from ((limit.smallest, True), (limit.smallest - 1, False))


def _placed(field: str, value: Any, of_name: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a person and data that hold the value where the field is."""
    entry = {value: "x"} if of_name else {"k": value}
    match field.split("."):
        case ["additionalData", _]:
            return person(), entry
        case ["attributes", "customAttributes", _]:
            return person(attributes={"customAttributes": entry}), {}
        case ["attributes", "tags"]:
            return person(attributes={"tags": [value]}), {}
        case ["attributes", name]:
            return person(attributes={name: value}), {}
        case [name]:
            return person(**{name: value}), {}
        case _:
            raise AssertionError(field)


@pytest.mark.parametrize(("declared", "data", "allowed"), list(samples()))
def test_schema_and_model_agree_at_every_limit(
    declared: dict[str, Any], data: dict[str, Any], allowed: bool
) -> None:
    """What a manifest may hold the service takes, and what is one too many neither does."""
    tree = {"apiVersion": "reconciler/v1", "kind": "Devices", "application": "courier"}
    tree |= {"devices": {"A": {"owner": declared, "additionalData": data}}}  # type: ignore[dict-item]
    shape = Shape((ROOT / "schemas" / "devices.schema.json").read_bytes())
    assert allowed is shape.accepts(tree)

    world = World.of(registrations=[Registration("A", "APP")], applications={"code": "APP"})
    attributes = declared.get("attributes", {})
    identity = {name: value for name, value in declared.items() if name != "attributes"}
    body = {"identity": identity, "attributes": attributes}
    statuses = [
        step(world, call, lambda assumption: assumption.default)[1].status
        for call in (
            operations.personalize("A", "code", body),
            operations.update("A", "code", {"additionalData": data}),
        )
    ]
    assert allowed is (statuses == [200, 200])


def test_the_digits_of_a_phone_number_are_counted_as_in_the_table() -> None:
    """The pattern of the schemas counts them, whatever stands between."""
    for name in ("devices", "people"):
        phone = load(name)["$defs"]["person"]["properties"]["phoneNumber"]
        digits = f"{{{PHONE_DIGITS.shortest - 1},{(PHONE_DIGITS.longest or 0) - 1}}}"
        assert f"[0-9]){digits}" in phone["pattern"]
        said = f"{PHONE_DIGITS.shortest} to {PHONE_DIGITS.longest} digits"
        assert said in phone["description"]


def test_the_manual_has_the_table() -> None:
    """Each limit of a text stands in the manual, in one row."""
    manual = (ROOT / "README.md").read_text("utf-8")
    for field, limits in VALUE_LIMITS.items():
        [row] = [line for line in manual.splitlines() if line.startswith(f"| `{field}` |")]
        for limit in limits:
            assert limit.longest is None or f" {limit.longest:,}" in row
            assert limit.largest is None or f" {limit.largest}." in row
            assert not limit.shortest or f" {limit.shortest} to " in row
