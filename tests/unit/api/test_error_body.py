"""Error bodies of every shape: which codes they have, which fields were refused, and why."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.api.error_body import parse_error_body, redact

HIDDEN = ("ana-secret", "courier-118")


def text_of(body: object, hide: tuple[str, ...] = HIDDEN) -> str:
    parsed = parse_error_body(json.dumps(body).encode(), hide)
    assert parsed is not None
    return parsed.text


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"errorCode": 48001, "errorMessage": "Code missing"}, "48001 Code missing"),
        (
            {
                "requestError": {
                    "serviceException": {
                        "messageId": "BAD_REQUEST",
                        "text": "Bad request",
                        "validationErrors": {"identity.phoneNumber": ["is invalid", "too long"]},
                    }
                }
            },
            "BAD_REQUEST Bad request; refused: identity.phoneNumber: is invalid; "
            "identity.phoneNumber: too long",
        ),
        (
            {
                "errorCode": "E400",
                "description": "Invalid input.",
                "action": "Check it.",
                "violations": [
                    {"property": "attributes.middleName", "violation": "size must be 0 to 50"},
                    {"property": "isPrimary", "violation": "null"},
                ],
                "resources": [{"name": "docs", "url": "https://example.com"}],
            },
            "E400 Invalid input. Check it.; refused: attributes.middleName: size must be 0 to 50; "
            "isPrimary: null",
        ),
        (
            {"code": 40002, "message": "Refused", "details": {"email": "is no address of anybody"}},
            "40002 Refused; refused: email: is no address of anybody",
        ),
        ({"code": 1, "details": ["too many tags"]}, "1; refused: too many tags"),
        ({"code": 1, "details": "too many tags"}, "1; refused: too many tags"),
        # What may be a value is not shown, its field is.
        (
            {"code": 1, "details": {"externalId": "x-7", "user": {"firstName": ["Ana Marija"]}}},
            "1; refused: externalId; user.firstName",
        ),
        (
            {"violations": [{"field": "email", "message": "who@example.com is taken"}]},
            "refused: email: <hidden> is taken",
        ),
        (
            {"violations": [{"property": "externalId", "violation": "courier-118 is taken"}]},
            "refused: externalId: <hidden> is taken",
        ),
        ({"validationErrors": {"tags": []}}, "refused: tags"),
        ({"validationErrors": {"who@example.com": ["no"]}}, "refused: (a field): no"),
        ({"errorCode": "E1", "violations": "all wrong"}, "E1; refused: all wrong"),
        ({}, ""),
    ],
)
def test_what_is_shown_of_each_shape(body: object, expected: str) -> None:
    """The codes, the service's words, and which field was refused and why; no values."""
    assert expected == text_of(body)


def test_of_many_fields_the_first_are_named() -> None:
    """And how many more."""
    body = {"violations": [{"property": f"p{number}", "violation": "no"} for number in range(9)]}
    assert text_of(body).endswith("p4: no; and 4 more")


ODD = [None, True, 7, 1.5, "x", [], {}, [[]], [None], {"a": None}, "y" * 9999, 10**400, "\ud800"]
MEMBERS = ["errorCode", "errorMessage", "requestError", "validationErrors", "violations", "details"]


@pytest.mark.parametrize("member", [*MEMBERS, "description", "action", "resources", "message"])
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: str(odd)[:9].encode("unicode_escape").decode())
def test_an_odd_member_hides_nothing_beside_it(member: str, odd: object) -> None:
    """Of any type, nested or huge: the code that stands beside it is read all the same."""
    parsed = parse_error_body(json.dumps({member: odd, "code": 48013}).encode(), ())
    assert parsed is not None
    assert "48013" in parsed.codes
    assert len(parsed.text) < 2000
    assert parsed.text.isprintable()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(MEMBERS) | st.text(), inner)
        ),
    )
)
def test_no_body_makes_it_fail(body: object) -> None:
    """It is an error body, or it is none."""
    parsed = parse_error_body(json.dumps(body).encode(), HIDDEN)
    assert (parsed is None) == (not isinstance(body, dict))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"7",
        b"<html>",
        b'{"a"',
        b"\xff\xfe",
        b'{"a":' * 100_000,
        b"[" * 100_000,
    ],
    ids=range(9),
)
def test_what_is_no_error_body(body: bytes) -> None:
    """Nothing, no object, or not whole."""
    assert parse_error_body(body, ()) is None


@pytest.mark.parametrize("sign", ["a", "1", "1 ", "a@", "1- ", "(1", ".", "1.", "+1-"])
def test_a_huge_text_costs_little_and_is_short(sign: str) -> None:
    """No text of the service makes it slow; CPU time, which a busy machine does not change."""
    started = time.process_time()
    shown = redact(sign * 500_000, HIDDEN)
    assert time.process_time() - started < 1
    assert len(shown) <= 200


@pytest.mark.parametrize("secret", ["ana.horvat@example.com", "+385 91 123 4567", "courier-118"])
def test_a_value_that_a_cut_goes_through_is_not_shown(secret: str) -> None:
    """Wherever the cut is: what comes before may be hidden, and leave a short line."""
    for before in range(3900, 4001, 3):
        filler = ("courier-118 " * 400)[:before]
        shown = redact(f"{filler} {secret} {'x' * 200}", HIDDEN).replace("<hidden>", "")
        assert not set("anhorvt@385") & set(shown.replace("…", "")), shown


@pytest.mark.parametrize(
    "number", ["+385911234567", "00385 91 123 4567", "+385.91.123.4567", "(385) 91-123-4567"]
)
def test_a_phone_number_of_anybody_is_hidden(number: str) -> None:
    """However it is written."""
    assert "91" not in redact(f"The number {number} is taken", ())
