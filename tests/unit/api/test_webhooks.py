"""Bodies of the service's webhooks, read line by line; of who did it only the sort is kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.api.webhooks import decode_events
from reconciler.core.identity import IdentityKind, IdentityValue
from reconciler.core.service_event import EventKind, ServiceEvent


def body(kind: str = "MOBILE_APP_PERSONALIZE", **payload: Any) -> dict[str, Any]:
    """Return a body as the service documents it."""
    return {
        "type": kind,
        "timestamp": "2026-11-30T10:00:00Z",
        "payload": {
            "pushRegId": "D-1",
            "appCode": "secret-code",
            "person": {"id": "7", "externalId": "c-1", "phone": ["385911234567"]},
            "invoker": {"type": "client", "id": "9", "name": "Jane", "email": "jane@example.com"},
            "source": "API",
            **payload,
        },
    }


def lines(*bodies: object) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in bodies)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("MOBILE_APP_INSTALL", EventKind.INSTALLED),
        ("MOBILE_APP_UNINSTALL", EventKind.UNINSTALLED),
        ("MOBILE_APP_PERSONALIZE", EventKind.PERSONALIZED),
        ("MOBILE_APP_DEPERSONALIZE", EventKind.DEPERSONALIZED),
    ],
)
def test_an_event_of_a_registration(name: str, kind: EventKind) -> None:
    """Which registration, when, and what sort of invoker; no name, no address, no code."""
    found = decode_events(lines(body(name)))

    expected = ServiceEvent(kind, "2026-11-30T10:00:00Z", "D-1", frozenset(), "client", "API")
    assert (expected,) == found.events
    for private in ("Jane", "jane@", "secret-code", "c-1"):
        assert private not in repr(found)


def test_a_merged_person_is_named_by_identities() -> None:
    """For the state knows people by digests of those, and not by numbers."""
    (event,) = decode_events(lines(body("PERSON_MERGED"))).events

    values = {
        IdentityValue.of(IdentityKind.EXTERNAL_ID, "c-1"),
        IdentityValue.of(IdentityKind.PHONE_NUMBER, "385911234567"),
    }
    assert (EventKind.MERGED, None, values) == (event.kind, event.registration, event.identities)


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"7",
        b'"text"',
        b"null",
        b"[1]",
        b"{}",
        b'{"type": 7}',
        b"\xff\xfe",
        b"[" * 100_000,
        lines(body(pushRegId=None)).strip(),
        lines(body(pushRegId=["D-1"])).strip(),
        lines({**body(), "payload": []}).strip(),
        lines(body("PERSON_MERGED", person={"email": "x", "phone": [None]})).strip(),
    ],
)
def test_a_line_that_is_no_event_is_passed_over(line: bytes) -> None:
    """And named by its number; the others are read."""
    found = decode_events(b"\n" + line + b"\n" + lines(body(), {"type": "SMS_RECEIVED"}))

    assert ((2,), 1, 1) == (found.unreadable, len(found.events), found.others)


@pytest.mark.parametrize("odd", [None, 7, [], {}, "jane@example.com", "385911234567", "x" * 5000])
def test_what_may_name_somebody_is_not_kept(odd: object) -> None:
    """Type of the invoker, source and time are words and moments of the service, or nothing."""
    event = {**body(source=odd, invoker={"type": odd}), "timestamp": odd}
    (found,) = decode_events(lines(event)).events

    assert ("", "", "") == (found.invoker, found.source, found.at)


def test_a_list_in_one_line_is_read() -> None:
    """Some queues put several bodies together; half of a character in a name stops nobody."""
    found = decode_events(lines([body(), body(pushRegId="D-2", deviceName="\ud800")]))

    assert ["D-1", "D-2"] == [event.registration for event in found.events]
