"""Registrations of browsers: they stand under `webpush`, and have no isPrimary."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from reconciler.api.decode import decode_registration
from reconciler.api.people import PageReader, decode_people
from reconciler.core.sweep_query import SweepQuery

PHONE: dict[str, Any] = {
    "registrationId": "phone",
    "applicationId": "APP",
    "isPrimary": True,
    "systemData": {"registrationEnabled": "true"},
    "additionalData": {"shift": "night"},
}
BROWSER: dict[str, Any] = {
    "registrationId": "browser",
    "applicationId": "APP",
    "systemData": {"registrationEnabled": "false"},
    "additionalData": {"shift": "day"},
}


def person(number: int = 1, **contacts: object) -> dict[str, Any]:
    return {"id": number, "externalId": f"x{number}", "contactInformation": contacts}


def test_a_person_shows_phones_and_browsers() -> None:
    """Both are theirs, each knows what it is, and only a phone is primary."""
    [found] = decode_people(msgspec.json.encode(person(webpush=[BROWSER], push=[PHONE])))

    assert [("phone", False, True, True), ("browser", True, False, False)] == [
        (one.id, one.is_web, one.is_primary, one.registration_enabled)
        for one in found.registrations
    ]
    assert [{"shift": "night"}, {"shift": "day"}] == [
        one.additional_data for one in found.registrations
    ]


@pytest.mark.parametrize("query", [{"registrations": {"browser": "shop"}}, {"everybody": True}])
def test_a_page_is_searched_for_browsers(query: dict[str, Any]) -> None:
    """Who owns a sought browser is kept, all that they own in the order of the page."""
    people = [person(1, push=[{**PHONE, "registrationId": "other"}])]
    people += [person(2, push=[PHONE], webpush=[BROWSER]), person(3, webpush=None)]
    body = msgspec.json.encode({"persons": people, "totalCount": 3})
    page = PageReader(SweepQuery(**query)).read(body)
    kept = {one.number: [entry.id for entry in one.registrations] for one in page.people}

    assert kept[2] == ["phone", "browser"]
    assert (1 in kept) is ("everybody" in query)
    assert page.shows_flags is True


def test_a_page_of_browsers_says_nothing_of_flags() -> None:
    """They have none, which does not mean that pages leave them out."""
    reader = PageReader(SweepQuery(everybody=True))
    page = reader.read(msgspec.json.encode({"persons": [person(webpush=[BROWSER])]}))

    assert page.shows_flags is None


def test_texts_of_a_browser_are_doubted_like_those_of_a_phone() -> None:
    """And kept beside the page, until something typed settles them."""
    entry = {**BROWSER, "additionalData": {"size": "12"}}
    reader = PageReader(SweepQuery(everybody=True))
    page = reader.read(msgspec.json.encode({"persons": [person(push=[PHONE], webpush=[entry])]}))

    assert {("APP", "browser"): {"size": "12"}} == page.texts


@pytest.mark.parametrize("cloud_type", ["WEB", "GCM", None, 7, ["WEB"]])
@pytest.mark.parametrize("shown", [{}, {"isPrimary": True}, {"isPrimary": False}])
def test_a_point_read_tells_a_browser(cloud_type: object, shown: dict[str, bool]) -> None:
    """By its cloudType; whatever that is else is nobody's to judge."""
    answer = {**BROWSER, **shown, "systemData": {"cloudType": cloud_type}}
    found = decode_registration(msgspec.json.encode(answer))

    assert found.is_web is (cloud_type == "WEB")
    assert found.is_primary is (cloud_type != "WEB" and shown.get("isPrimary", False))
