"""match: whose many identities are, by number, in one call."""

from __future__ import annotations

from typing import Any, cast

import pytest

from reconciler.core.identity import IdentityKind, IdentityValue
from reconciler.platform import operations
from reconciler.platform.assumptions import readings
from reconciler.platform.operations import Call, Identifier, Operation, Response
from reconciler.platform.step import step
from reconciler.platform.world import Person, Registration, World

ANA = Person(
    7,
    frozenset(
        {
            IdentityValue.of(IdentityKind.EXTERNAL_ID, "Ana"),
            IdentityValue.of(IdentityKind.PHONE_NUMBER, "385911234567"),
            IdentityValue.of(IdentityKind.EMAIL, "ana@example.com"),
        }
    ),
)
WORLD = World.of(
    [ANA, Person(8)],
    [Registration("owned", "APP-A", 7), Registration("anonymous", "APP-A", 8)],
    {"code-a": "APP-A"},
)


def answer(*identifiers: Identifier, **assume: str) -> Response:
    return step(WORLD, operations.match(identifiers), readings(assume))[1]


def numbers(*identifiers: Identifier, assume: dict[str, str] | None = None) -> list[object]:
    response = answer(*identifiers, **(assume or {}))
    assert 200 == response.status
    body = cast("dict[str, list[dict[str, object]]]", response.body)
    assert all({"type", "identifier", "personId"} <= match.keys() for match in body["matches"])
    return [match["personId"] for match in body["matches"]]


def test_each_kind_is_matched_and_only_the_number_is_told() -> None:
    """A value as the service compares it; a registration with its application."""
    response = answer(
        Identifier("PUSH", "owned", "APP-A"),
        Identifier("EXTERNAL_ID", "Ana"),
        Identifier("PHONE", "+385 911234567"),
        Identifier("EMAIL", "ANA@example.com"),
        Identifier("ID", "7"),
    )
    assert {
        "matches": [
            {"type": "PUSH", "identifier": "owned", "sender": "APP-A", "personId": 7},
            {"type": "EXTERNAL_ID", "identifier": "Ana", "personId": 7},
            {"type": "PHONE", "identifier": "+385 911234567", "personId": 7},
            {"type": "EMAIL", "identifier": "ANA@example.com", "personId": 7},
            {"type": "ID", "identifier": "7", "personId": 7},
        ]
    } == response.body


def test_who_is_not_found_is_left_out() -> None:
    """So is a registration of another application; asked for twice is answered once."""
    assert [7] == numbers(
        Identifier("EXTERNAL_ID", "ana"),
        Identifier("PUSH", "owned", "APP-B"),
        Identifier("PUSH", "lost", "APP-A"),
        Identifier("TELEGRAM", "x", "y"),
        Identifier("EMAIL", "ana@example.com"),
        Identifier("EMAIL", "ana@example.com"),
    )
    assert [] == numbers()


def test_an_anonymous_owner_has_a_number_where_there_is_one() -> None:
    """Nobody is a person too, in one reading."""
    anonymous = Identifier("PUSH", "anonymous", "APP-A")
    assert [8] == numbers(anonymous)
    assert [] == numbers(anonymous, assume={"anonymous-owner": "404"})


@pytest.mark.parametrize(("most", "count", "status"), [("1", 1, 200), ("1", 2, 400)])
def test_how_many_go_into_a_call_is_an_assumption(most: str, count: int, status: int) -> None:
    """One goes always."""
    asked = [Identifier("EXTERNAL_ID", str(number)) for number in range(count)]
    assert status == answer(*asked, **{"match-size": most}).status


@pytest.mark.parametrize("most", [1000, 100])
def test_the_larger_sizes_hold_to_the_last(most: int) -> None:
    """So many, and not one more."""
    asked = [Identifier("EXTERNAL_ID", str(number)) for number in range(most + 1)]
    assert 400 == answer(*asked, **{"match-size": str(most)}).status
    assert 200 == answer(*asked[:-1], **{"match-size": str(most)}).status


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"identities": {}},
        {"identities": [None]},
        {"identities": [{"type": "EMAIL"}]},
        {"identities": [{"type": "EMAIL", "identifier": ""}]},
        {"identities": [{"type": "EMAIL", "identifier": 7}]},
        {"identities": [{"type": "WEB_PUSH_2", "identifier": "x", "sender": "y"}]},
        {"identities": [{"type": "PUSH", "identifier": "owned"}]},
        {"identities": [{"type": "PUSH", "identifier": "owned", "sender": 7}]},
        {"identities": [{"type": "ID", "identifier": "seven"}]},
        {"identities": [{"type": ["PUSH"], "identifier": "owned", "sender": "APP-A"}]},
    ],
)
def test_a_question_that_is_wrong_is_refused(body: Any) -> None:
    """And says nothing of anybody."""
    call = Call(Operation.MATCH, "POST", operations.MATCH_PATH, body=body)
    world, response = step(WORLD, call, readings())
    assert (WORLD, 400) == (world, response.status)
