"""Decode the bodies of the service's webhooks, one JSON object a line: MOBILE_APP_*, PERSON_MERGED.

They come from outside and by way of somebody's queue, so each line is read by itself and leniently:
what is no event is counted and passed over. Of who did it no name, id or address is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from reconciler.core.identity import IdentityKind, IdentityValue
from reconciler.core.service_event import EventKind, ServiceEvent, ServiceEvents

from .json_part import Part, Parts, whole

_KINDS: Final = {
    "MOBILE_APP_INSTALL": EventKind.INSTALLED,
    "MOBILE_APP_UNINSTALL": EventKind.UNINSTALLED,
    "MOBILE_APP_PERSONALIZE": EventKind.PERSONALIZED,
    "MOBILE_APP_DEPERSONALIZE": EventKind.DEPERSONALIZED,
    "PERSON_MERGED": EventKind.MERGED,
}
_INVOKERS: Final = frozenset({"client", "user", "system"})
# A word of the service, and nothing that could be a name, an address or a number of somebody.
_SOURCE: Final = re.compile(r"[A-Z][A-Z_]{1,30}")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?[0-9.:+Zz-]{0,16}", re.ASCII)


def decode_events(data: bytes) -> ServiceEvents:
    """Read all lines; a list of events in one line is read as well."""
    events: list[ServiceEvent] = []
    unreadable: list[int] = []
    others = 0
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        answer = whole(line.strip())
        elements = answer.elements()
        for part in [answer] if elements is None else elements:
            members = part.members()
            kind = None if members is None else _text(members, "type")
            if members is None or kind is None:
                unreadable.append(number)
            elif kind not in _KINDS:
                others += 1
            else:
                event = _read(_KINDS[kind], members)
                if event is None:
                    unreadable.append(number)
                else:
                    events.append(event)
    return ServiceEvents(tuple(events), others, tuple(dict.fromkeys(unreadable)))


def _read(kind: EventKind, members: Parts) -> ServiceEvent | None:
    """Return an event; None where it does not say whom it is about."""
    payload = _members(members, "payload") or members
    is_merge = kind is EventKind.MERGED
    registration = None if is_merge else _text(payload, "pushRegId")
    person = _members(payload, "person") or {}
    identities = frozenset(_identities(person)) if is_merge else frozenset()
    if not registration and not identities:
        return None
    at = _text(members, "timestamp") or ""
    invoker = _text(_members(payload, "invoker") or {}, "type") or ""
    source = _text(payload, "source") or ""
    return ServiceEvent(
        kind,
        at if _MOMENT.fullmatch(at) else "",
        registration,
        identities,
        invoker if invoker in _INVOKERS else "",
        source if _SOURCE.fullmatch(source) else "",
    )


def _identities(person: Parts) -> Iterator[IdentityValue]:
    external = _text(person, "externalId")
    if external:
        yield IdentityValue.of(IdentityKind.EXTERNAL_ID, external)
    for kind, name in ((IdentityKind.PHONE_NUMBER, "phone"), (IdentityKind.EMAIL, "email")):
        part = person.get(name)
        for element in (part.elements() if part is not None else None) or ():
            text = element.text_value()
            if text:
                yield IdentityValue.of(kind, text)


def _members(members: Parts, name: str) -> Parts | None:
    part: Part | None = members.get(name)
    return None if part is None else part.members()


def _text(members: Parts, name: str) -> str | None:
    part = members.get(name)
    return None if part is None else part.text_value()
