"""step: what each call does under each reading, and which readings it asks for."""

from __future__ import annotations

import pytest

from reconciler.platform import operations
from reconciler.platform.assumptions import PROVEN
from reconciler.platform.operations import Call, Response
from reconciler.platform.step import step
from reconciler.platform.world import Person, World

from .worlds import (
    APP,
    CODE,
    OTHER_APP,
    OTHER_CODE,
    Asked,
    email,
    external,
    phone,
    with_registration,
    world,
)


def _do(before: World, call: Call, **chosen: str) -> tuple[World, Response, list[str]]:
    asked = Asked(**chosen)
    after, response = step(before, call, asked, "2026-07-01T10:00:00")
    # What is read off the answer is of no concern to a proof, and asked for at every update.
    return after, response, [name for name in asked.names if name in PROVEN]


def _code(response: Response) -> object:
    return response.body["errorCode"] if isinstance(response.body, dict) else None


def _owner(seen: World, registration_id: str) -> Person | None:
    return seen.owner(seen.registrations[registration_id])


def _identify(registration_id: str, query: dict[str, str] | None = None, **identity: str) -> Call:
    return operations.personalize(registration_id, CODE, {"identity": identity}, query)


FORCE = {"forceDepersonalize": "true"}


def test_a_patch_merges_additional_data() -> None:
    """By default a PATCH sets what it names, null removes, the rest stays."""
    call = operations.update("ana-phone", CODE, {"additionalData": {"n": None, "new": 2.5}})
    after, response, asked = _do(world(), call)
    assert 200 == response.status
    assert {"shift": "day", "new": 2.5} == after.registrations["ana-phone"].additional_data
    assert ["additional-data-patch"] == asked


def test_a_patch_may_replace_additional_data() -> None:
    """Under `replace` what is not sent is gone, and a null is not stored."""
    call = operations.update("ana-phone", CODE, {"additionalData": {"n": None, "new": 2.5}})
    after, _, _ = _do(world(), call, additional_data_patch="replace")
    assert {"new": 2.5} == after.registrations["ana-phone"].additional_data


def test_a_patch_that_names_every_key_asks_nothing() -> None:
    """Where both readings end alike, the reading is not asked."""
    call = operations.update("ana-phone", CODE, {"additionalData": {"n": None, "shift": "x"}})
    assert [] == _do(world(), call)[2]


def test_a_patch_without_additional_data_leaves_it() -> None:
    """A field that is not sent is not touched."""
    call = operations.update("ana-phone", CODE, {"systemData": {"registrationEnabled": False}})
    after, _, asked = _do(world(), call)
    seen = after.registrations["ana-phone"]
    assert (False, True, {"shift": "day", "n": 1}) == (
        seen.registration_enabled,
        seen.is_primary,
        seen.additional_data,
    )
    assert [] == asked


def test_a_number_becomes_the_boolean_it_resembles() -> None:
    """1 and True are two values."""
    call = operations.update("ana-phone", CODE, {"additionalData": {"n": True}})
    assert _do(world(), call)[0].registrations["ana-phone"].additional_data["n"] is True


@pytest.mark.parametrize("value", [[], [{"shop": "a", "n": 1}], {"a": {"b": None}}])
def test_what_an_app_wrote_is_taken_back(value: object) -> None:
    """A list or an object that the service shows can stand in an update as it came."""
    after, response, _ = _do(
        world(), operations.update("ana-phone", CODE, {"additionalData": {"visits": value}})
    )
    assert 200 == response.status
    assert value == after.registrations["ana-phone"].additional_data["visits"]


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        ("demotes-others", {"ana-phone"}),
        ("demotes-others-of-application", {"ana-phone", "ana-tablet"}),
        ("keeps-others", {"ana-phone", "second", "ana-tablet"}),
    ],
)
def test_promotion_takes_the_flag_from_others(reading: str, expected: set[str]) -> None:
    """isPrimary: true takes the flag from the owner's others: of all, of the application, of none.

    Nobody else's flag moves."""
    before = with_registration(world(), "ana-tablet", is_primary=True)
    before = with_registration(before, "ana-phone", is_primary=False)
    before = with_registration(before, "loose", owner=1, is_primary=True)
    call = operations.update("ana-phone", CODE, {"isPrimary": True})
    after, _, asked = _do(before, call, promote=reading)
    flagged = {one.id for one in after.registrations.values() if one.is_primary}
    assert {one.replace("second", "loose") for one in expected} | {"ben-phone"} == flagged
    assert ["promote"] == asked


def test_promotion_with_nobody_to_demote_asks_nothing() -> None:
    """Without another flagged registration the reading does not matter."""
    call = operations.update("ana-tablet", OTHER_CODE, {"isPrimary": False})
    assert [] == _do(world(), call)[2]
    call = operations.update("loose", CODE, {"isPrimary": True})
    assert [] == _do(world(), call)[2]


def test_a_claim_attaches_and_absorbs_the_anonymous_person() -> None:
    """Personalizing nobody's registration moves it, and ends its anonymous person."""
    after, response, asked = _do(world(), _identify("loose", externalId="ana"))
    assert 200 == response.status
    assert 1 == after.registrations["loose"].owner
    assert 3 not in after.people
    assert [] == asked


def test_an_unknown_identity_names_the_anonymous_person() -> None:
    """The anonymous person becomes the person of the new identity, a customer."""
    after, _, _ = _do(world(), _identify("loose", externalId="new", email="New@Example.com"))
    assert Person(3, frozenset({external("new"), email("new@example.com")})) == after.people[3]


def test_keep_as_lead_keeps_a_lead() -> None:
    """A lead becomes a customer when personalized, unless keepAsLead is true."""
    moved = _do(world(), _identify("loose", externalId="ben"))[0]
    kept = _do(world(), _identify("loose", {"keepAsLead": "true"}, externalId="ben"))[0]
    assert (False, True) == (moved.people[2].is_lead, kept.people[2].is_lead)


@pytest.mark.parametrize(("reading", "status"), [("400", 400), ("409", 409), ("403", 403)])
def test_an_unforced_personalize_never_takes_a_registration_away(reading: str, status: int) -> None:
    """Somebody else's registration is refused, for a known person and for a new one."""
    for identity in ("ben", "new"):
        before = world()
        call = _identify("ana-phone", externalId=identity)
        after, response, asked = _do(before, call, personalize_owned_by_other=reading)
        assert status == response.status
        assert after is before
        assert ["personalize-owned-by-other"] == asked


@pytest.mark.parametrize(("reading", "status"), [("ok", 200), ("400", 400)])
def test_personalizing_for_the_owner_that_it_has(reading: str, status: int) -> None:
    """An unforced personalize that adds nothing is answered by the reading."""
    call = _identify("ana-phone", externalId="ana")
    after, response, asked = _do(world(), call, personalize_owned_by_same=reading)
    assert status == response.status
    assert world() == after
    assert ["personalize-owned-by-same"] == asked


def test_an_unforced_personalize_adds_missing_values() -> None:
    """Values that the owner lacks are added, whatever the reading of owned-by-same."""
    call = _identify("ana-phone", externalId="ana", email="ana@example.com")
    after, response, asked = _do(world(), call, personalize_owned_by_same="400")
    assert 200 == response.status
    assert {external("ana"), phone("385911"), email("ana@example.com")} == after.people[
        1
    ].identities
    assert [] == asked
    assert frozenset() == after.changed_registrations(world())


def test_a_second_external_id_is_refused() -> None:
    """A person has one external id; a personalize does not replace it, forced or not."""
    for query in ({}, FORCE):
        call = _identify("ana-phone", query, externalId="other", phoneNumber="+385911")
        after, response, _ = _do(world(), call)
        assert 400 == response.status
        assert world() == after


@pytest.mark.parametrize(
    ("reading", "primary", "data"),
    [
        ("clears-primary-and-data", False, {}),
        ("keeps", True, {"shift": "day", "n": 1}),
        ("clears-primary", False, {"shift": "day", "n": 1}),
        ("clears-data", True, {}),
    ],
)
def test_a_forced_move_detaches_and_attaches(
    reading: str, primary: bool, data: dict[str, object]
) -> None:
    """A forced personalize detaches first; what that clears is the reading's."""
    after, response, asked = _do(
        world(), _identify("ana-phone", FORCE, externalId="ben"), detach=reading
    )
    seen = after.registrations["ana-phone"]
    assert 200 == response.status
    assert (2, primary, data) == (seen.owner, seen.is_primary, seen.additional_data)
    assert after.registrations["ben-phone"].is_primary
    assert {external("ana"), phone("385911")} == after.people[1].identities
    assert ["detach"] == asked


def test_detach_is_asked_only_where_there_is_something_to_clear() -> None:
    """A bare registration moves without asking."""
    before = with_registration(world(), "ben-phone", is_primary=False, additional_data={})
    assert [] == _do(before, _identify("ben-phone", FORCE, externalId="ana"))[2]


def test_two_people_are_refused_or_merged() -> None:
    """An identity of two people is a 400; under `merges` they become one, the older."""
    call = _identify("loose", externalId="ana", email="ben@example.com")
    after, response, asked = _do(world(), call)
    assert (400, world()) == (response.status, after)
    assert ["identity-matches-two-people"] == asked
    after, response, _ = _do(world(), call, identity_matches_two_people="merges")
    assert 200 == response.status
    assert [1] == sorted(after.people)
    assert {"ana-phone", "ana-tablet", "ben-phone", "loose"} == set(after.owned[1])
    assert external("ana") == after.people[1].external_id


def test_attributes_are_set_merged_and_united() -> None:
    """Named attributes are set, custom attributes merged by key, tags united."""
    attributes = {
        "lastName": "Anić",
        "birthday": "1990-02-03T00:00:00Z",
        "tags": ["b", "a"],
        "customAttributes": {"y": 3},
    }
    body = {"identity": {"externalId": "ana"}, "attributes": attributes}
    after, response, _ = _do(world(), operations.personalize("loose", CODE, body))
    expected = {
        "firstName": "Ana",
        "lastName": "Anić",
        "birthDate": "1990-02-03",
        "tags": ["a", "b"],
        "customAttributes": {"x": 1, "y": 3},
    }
    assert expected == after.people[1].attributes
    assert isinstance(response.body, dict)
    assert "1990-02-03T00:00:00Z" == response.body["birthday"]


def test_set_device_as_primary_promotes() -> None:
    """setDeviceAsPrimary sets the flag and takes it from the new owner's others."""
    query = {**FORCE, "setDeviceAsPrimary": "true"}
    after, _, asked = _do(world(), _identify("ben-phone", query, externalId="ana"))
    flagged = {one.id for one in after.registrations.values() if one.is_primary}
    assert {"ben-phone"} == flagged
    assert ["detach", "promote"] == asked


def test_depersonalize_gives_an_anonymous_person_or_none() -> None:
    """A detached registration has a fresh anonymous owner, or none at all."""
    after, response, asked = _do(world(), operations.depersonalize("ana-phone", CODE))
    owner = _owner(after, "ana-phone")
    assert Response(200) == response
    assert owner is not None
    assert (4, True) == (owner.number, owner.is_anonymous)
    assert ["detach", "anonymous-owner"] == asked
    after, _, _ = _do(world(), operations.depersonalize("ana-phone", CODE), anonymous_owner="404")
    assert _owner(after, "ana-phone") is None
    assert sorted(world().people) == sorted(after.people)


@pytest.mark.parametrize(("reading", "status"), [("ok", 200), ("400", 400)])
def test_depersonalizing_what_is_nobodys(reading: str, status: int) -> None:
    """Nothing changes, and the reading answers."""
    after, response, asked = _do(
        world(), operations.depersonalize("loose", CODE), depersonalize_anonymous=reading
    )
    assert (status, world()) == (response.status, after)
    assert ["depersonalize-anonymous"] == asked


@pytest.mark.parametrize(
    ("code", "expected"), [(None, 48001), ("", 48001), ("bad", 48012), (OTHER_CODE, 48013)]
)
def test_a_wrong_application_code_is_refused(code: str | None, expected: int) -> None:
    """No code, an unknown code, and the code of another application each have their error."""
    before = world()
    for call in (
        Call(operations.Operation.GET, "GET", operations.registration_path("loose"), {}, code),
        Call(
            operations.Operation.UPDATE, "PATCH", operations.registration_path("loose"), {}, code, 5
        ),
    ):
        after, response, _ = _do(before, call)
        assert (400, expected) == (response.status, _code(response))
        assert after is before


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {"isPrimary": None},
        {"isPrimary": 1},
        {"systemData": {"registrationEnabled": "true"}},
        {"additionalData": None},
        {"additionalData": {"": 1}},
        {"additionalData": {"n" * 257: 1}},
        {"additionalData": {"k": "v" * 4097}},
        {"additionalData": {"k": 9223372036854775808}},
        {"additionalData": {"k": -9223372036854775809}},
        {"additionalData": {"k": float("inf")}},
    ],
)
def test_a_bad_patch_changes_nothing(body: object) -> None:
    """Wrong types, names too long and values too large are a 400."""
    before = world()
    after, response, _ = _do(before, operations.update("ana-phone", CODE, body))
    assert 400 == response.status
    assert after is before


@pytest.mark.parametrize(
    "identity",
    [
        {},
        {"externalId": ""},
        {"externalId": "NULL"},
        {"externalId": "Null"},
        {"externalId": None},
        {"externalId": 5},
        {"externalId": "e" * 257},
        {"email": "nobody"},
        {"email": "a" * 250 + "@b.example"},
        {"phoneNumber": "12"},
        {"phoneNumber": "+3859112345678901"},
        {"phoneNumber": "call me"},
        "ana",
    ],
)
def test_a_bad_identity_changes_nothing(identity: object) -> None:
    """An identity that names nobody, or is too long, is a 400."""
    before = world()
    call = operations.personalize("loose", CODE, {"identity": identity})
    after, response, _ = _do(before, call)
    assert 400 == response.status
    assert after is before


@pytest.mark.parametrize(
    "attributes",
    [
        {"firstName": "f" * 256},
        {"middleName": "m" * 51},
        {"gender": "X"},
        {"birthday": "1990"},
        {"tags": "a"},
        {"tags": ["a", "a"]},
        {"customAttributes": {"k": {}}},
        [],
    ],
)
def test_bad_attributes_change_nothing(attributes: object) -> None:
    """Attributes of a wrong type or size refuse the whole personalize."""
    before = world()
    body = {"identity": {"externalId": "ana"}, "attributes": attributes}
    after, response, _ = _do(before, operations.personalize("loose", CODE, body))
    assert 400 == response.status
    assert after is before


def test_people_are_found_by_every_identifier() -> None:
    """ID, external id, phone in any writing, e-mail in any case, and PUSH with its sender."""
    queries: list[tuple[dict[str, str], int]] = [
        ({"type": "ID", "identifier": "1"}, 1),
        ({"type": "EXTERNAL_ID", "identifier": "ana"}, 1),
        ({"type": "PHONE", "identifier": "+385 911"}, 1),
        ({"type": "EMAIL", "identifier": "BEN@example.com"}, 2),
        ({"type": "PUSH", "identifier": "ana-tablet", "sender": OTHER_APP}, 1),
        ({"type": "PUSH", "identifier": "loose", "sender": APP}, 3),
    ]
    for query, number in queries:
        call = Call(operations.Operation.PERSONS, "GET", operations.PERSONS_PATH, query)
        _, response, _ = _do(world(), call)
        assert isinstance(response.body, dict)
        assert (200, number) == (response.status, response.body["id"])


def test_an_anonymous_owner_may_not_be_there() -> None:
    """Under anonymous-owner=404 an anonymous person is not found and stands on no page."""
    call = operations.person_of_registration("loose", APP)
    assert 404 == _do(world(), call, anonymous_owner="404")[1].status
    page = _do(world(), operations.persons_page(1), anonymous_owner="404")[1].body
    assert isinstance(page, dict)
    assert ([1, 2], 2) == ([one["id"] for one in page["persons"]], page["totalCount"])


@pytest.mark.parametrize(
    ("reading", "shown"),
    [
        ("no-flags", {"additionalData": {"shift": "day", "n": 1}}),
        ("text-data", {"isPrimary": True, "additionalData": {"shift": "day", "n": "1"}}),
    ],
)
def test_a_page_may_be_bare_by_halves(reading: str, shown: dict[str, object]) -> None:
    """Entries lack isPrimary and type their values, or the other way round."""
    call = operations.person_by_identity("EXTERNAL_ID", "ana")
    page = _do(world(), call, page_push=reading)[1].body
    assert isinstance(page, dict)
    entry = page["contactInformation"]["push"][0]
    assert shown == {name: entry[name] for name in ("isPrimary", "additionalData") if name in entry}
    assert {"registrationEnabled": "true"} == entry["systemData"]


def test_a_bare_page_has_text_only() -> None:
    """Under page-push=bare entries lack isPrimary, and every value is text."""
    call = operations.person_by_identity("EXTERNAL_ID", "ana")
    full = _do(world(), call)[1].body
    bare = _do(world(), call, page_push="bare")[1].body
    assert isinstance(full, dict)
    assert isinstance(bare, dict)
    expected = {
        "registrationId": "ana-phone",
        "applicationId": APP,
        "systemData": {"registrationEnabled": "true"},
        "additionalData": {"shift": "day", "n": "1"},
    }
    assert expected == bare["contactInformation"]["push"][0]
    expected |= {"isPrimary": True, "additionalData": {"shift": "day", "n": 1}}
    assert expected == full["contactInformation"]["push"][0]


def test_pages_slice_everybody_once() -> None:
    """Pages of one, ascending and descending, show each person once; the last one is empty."""
    for direction, expected in (("asc", [1, 2, 3]), ("desc", [3, 2, 1])):
        shown: list[int] = []
        for number in range(1, 5):
            query = {"limit": "1", "page": str(number), "orderBy": f"createdAt:{direction}"}
            call = Call(operations.Operation.PERSONS, "GET", operations.PERSONS_PATH, query)
            body = _do(world(), call)[1].body
            assert isinstance(body, dict)
            shown += [one["id"] for one in body["persons"]]
        assert expected == shown
