"""What the service is sent, what its answers become, and what every bad answer becomes."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from reconciler.api.breaker import BreakerTripped
from reconciler.api.credentials import (
    ApiKeyCredential,
    BasicCredential,
    Credential,
    IbssoCredential,
    UnusableCredential,
)
from reconciler.api.dispatch import Attempts
from reconciler.api.errors import (
    ApiError,
    ApplicationNotFound,
    Conflict,
    Denied,
    NoAnswer,
    NotTheContract,
    RegistrationNotFound,
    Rejected,
    ServerFailed,
    WritingSwitchedOff,
)
from reconciler.api.service import Service
from reconciler.core.absent import ABSENT
from reconciler.core.events import Event, MatchRefused
from reconciler.core.identity import IdentityKind, IdentityValue
from reconciler.core.live import (
    LivePerson,
    LiveRegistration,
    RegistrationKey,
    Unreadable,
)
from reconciler.core.secret import Secret
from reconciler.platform.operations import Operation

from .wires import DEVICE, KEY, REGISTRATION, FakeTime, Wire, answer, service_exception

Ask = Callable[[Service], Awaitable[Any]]
MAIL = IdentityValue.of(IdentityKind.EMAIL, "Ana@Example.com")
PERSON = {
    "id": 1844,
    "type": "LEAD",
    "externalId": "courier-118",
    "firstName": "Ana",
    "birthDate": "1990-02-03",
    "tags": ["courier"],
    "contactInformation": {
        "phone": [{"number": "385911234567"}],
        "email": [{"address": "ANA@example.com"}],
        "push": [{"registrationId": DEVICE, "applicationId": "APP-1", "isPrimary": True}],
    },
}


async def get(service: Service) -> LiveRegistration:
    return await service.registration(DEVICE, "code-a")


async def owner(service: Service) -> LivePerson | None:
    return await service.owner(DEVICE, "APP-1")


async def person(service: Service) -> LivePerson | None:
    return await service.person(MAIL)


async def update(service: Service) -> LiveRegistration:
    return await service.update(DEVICE, "code-a", {"isPrimary": True})


async def personalize(service: Service) -> None:
    await service.personalize(DEVICE, "code-a", {"identity": {"email": "ana@example.com"}})


async def depersonalize(service: Service) -> None:
    await service.depersonalize(DEVICE, "code-a")


def run(service: Service, ask: Ask) -> Any:
    async def main() -> Any:
        async with service:
            return await ask(service)

    return asyncio.run(main())


def fail(service: Service, ask: Ask) -> ApiError:
    with pytest.raises(ApiError) as caught:
        run(service, ask)
    return caught.value


def test_get_asks_the_contracts_question_and_gives_a_registration() -> None:
    """GET names the registration in the path and the application in the AppCode header."""
    wire = Wire(answer(REGISTRATION))
    found = run(wire.service(), get)
    assert LiveRegistration(DEVICE, "APP-1", False, True, {"shift": "night"}) == found
    request = wire.requests[0]
    assert ("GET", f"/people/2/contactInformation/push/{DEVICE}", "code-a", f"App {KEY}") == (
        request.method,
        request.url.path,
        request.headers["AppCode"],
        request.headers["Authorization"],
    )


def test_what_a_point_read_leaves_out_is_at_rest() -> None:
    """No isPrimary is false and no additionalData is none; a null key is no key."""
    bare = {"registrationId": DEVICE, "applicationId": "APP-1"}
    assert LiveRegistration(DEVICE, "APP-1", False, ABSENT, {}) == run(
        Wire(answer(bare)).service(), get
    )
    null = bare | {"additionalData": {"a": None, "b": 1.5, "c": 2**63 - 1, "d": False}}
    assert {"b": 1.5, "c": 2**63 - 1, "d": False} == run(
        Wire(answer(null)).service(), get
    ).additional_data


@pytest.mark.parametrize("id", ["a/b", "a?b=c", "a#b", "č +%2F", "../x"])
def test_a_registration_id_stays_one_segment_of_the_path(id: str) -> None:
    """Whatever stands in an id, the call is about that id and no other resource."""
    wire = Wire(answer(REGISTRATION | {"registrationId": id}))
    assert id == run(wire.service(), lambda service: service.registration(id, "c")).id
    assert 5 == next(iter(wire.paths())).count("/")


@pytest.mark.parametrize("id", ["", ".", ".."])
def test_an_id_that_would_name_another_resource_is_not_sent(id: str) -> None:
    """Dots alone climb in a path, so such a registration does not exist."""
    wire = Wire(answer(REGISTRATION))
    error = fail(wire.service(), lambda service: service.registration(id, "c"))
    assert (RegistrationNotFound, []) == (type(error), wire.requests)


@pytest.mark.parametrize("code", ["", "a b", "č", "a\r\nX: y"])
def test_an_application_code_that_no_header_can_carry_is_not_sent(code: str) -> None:
    """No application has such a code; and none of it is shown."""
    wire = Wire(answer(REGISTRATION))
    error = fail(wire.service(), lambda service: service.registration(DEVICE, code))
    assert (ApplicationNotFound, []) == (type(error), wire.requests)


def test_update_sends_the_body_and_tells_its_attempts() -> None:
    """PATCH carries JSON; who counts goes on counting."""
    wire = Wire(answer(REGISTRATION))
    attempts = Attempts(count=1)
    run(wire.service(), lambda s: s.update(DEVICE, "c", {"isPrimary": True}, attempts=attempts))
    assert ({"isPrimary": True}, 2) == (json.loads(wire.requests[0].content), attempts.count)


def test_personalize_and_depersonalize_are_posts_with_and_without_a_body() -> None:
    """The query of a personalize goes out as given; a depersonalize has no body."""
    wire = Wire(answer({"externalId": "x"}), answer())
    body = {"identity": {"externalId": "x"}}

    async def both(service: Service) -> None:
        await service.personalize(DEVICE, "c", body, {"forceDepersonalize": "true"})
        await service.depersonalize(DEVICE, "c")

    run(wire.service(), both)
    path = f"/people/2/contactInformation/push/{DEVICE}"
    assert [f"{path}/personalize?forceDepersonalize=true", f"{path}/depersonalize"] == wire.paths()
    assert (body, b"") == (json.loads(wire.requests[0].content), wire.requests[1].content)


@pytest.mark.parametrize(
    "envelope",
    [
        pytest.param(PERSON, id="bare"),
        pytest.param([PERSON], id="list"),
        pytest.param({"persons": [PERSON], "totalCount": 1}, id="persons"),
        pytest.param({"paging": {"page": 1}, "persons": [PERSON]}, id="paging"),
    ],
)
def test_a_person_is_read_from_every_envelope(envelope: object) -> None:
    """The list's envelope is not in the contract, so all three known ones are read."""
    wire = Wire(answer(envelope))
    found = run(wire.service(), person)
    values = (
        IdentityValue.of(IdentityKind.EXTERNAL_ID, "courier-118"),
        IdentityValue.of(IdentityKind.PHONE_NUMBER, "385911234567"),
        MAIL,
    )
    assert (1844, True, frozenset(values)) == (found.number, found.is_lead, found.identities)
    assert {"firstName": "Ana", "birthday": "1990-02-03", "tags": ["courier"]} == (
        found.attributes.reveal()
    )
    assert "AppCode" not in wire.requests[0].headers
    assert {"type": "EMAIL", "identifier": "ana@example.com"} == dict(wire.requests[0].url.params)


def test_an_owner_is_looked_up_by_the_applications_id() -> None:
    """PUSH look-ups take the id that GET shows as sender."""
    wire = Wire(answer(PERSON))
    assert 1844 == run(wire.service(), owner).number
    params = {"type": "PUSH", "identifier": DEVICE, "sender": "APP-1"}
    assert params == dict(wire.requests[0].url.params)


@pytest.mark.parametrize(
    "nobody",
    [
        pytest.param(answer({"errorCode": 40401, "errorMessage": "PERSON"}, 404), id="40401"),
        pytest.param(answer({"errorCode": "40401"}, 404), id="text"),
        pytest.param(answer({"code": 40401.0, "details": {"a": [None]}}, 404), id="code"),
        pytest.param(service_exception("PERSON_DOES_NOT_EXIST", "No", 404), id="name"),
        pytest.param(service_exception("40401", "PERSON_DOES_NOT_EXIST", 404), id="number-as-id"),
        pytest.param(
            service_exception("NOT_FOUND", "40401 PERSON_DOES_NOT_EXIST", 404), id="in-the-text"
        ),
        pytest.param(answer([]), id="list"),
        pytest.param(answer({"persons": []}), id="persons"),
    ],
)
def test_nobody_is_none(nobody: httpx.Response) -> None:
    """40401, wherever it stands, and an empty list both say that nobody has the identifier."""
    assert run(Wire(nobody).service(), person) is None
    assert run(Wire(nobody).service(), owner) is None


@pytest.mark.parametrize("ask", [person, owner])
@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(service_exception("NOT_FOUND", "Not found", 404), id="exception"),
        pytest.param(answer({"detail": "Not Found"}, 404), id="proxy"),
        pytest.param(answer({}, 404), id="empty"),
        pytest.param(answer({"errorCode": 40403, "errorMessage": "X_DOES_NOT_EXIST"}, 404), id="3"),
        pytest.param(
            answer({"errorCode": 40407, "errorMessage": "PERSON_DOES_NOT_EXIST"}, 404), id="7"
        ),
        pytest.param(answer({"errorCode": 40401}, 400), id="status"),
        pytest.param(
            answer({"text": "There is no route like PERSON_DOES_NOT_EXIST"}, 404), id="mentioned"
        ),
    ],
)
def test_another_404_says_nothing_about_people(ask: Ask, reply: httpx.Response) -> None:
    """Nobody owns it would detach or adopt: a proxy's word is not taken for it."""
    assert Rejected is type(fail(Wire(reply).service(), ask))


def test_40401_is_about_people_only() -> None:
    """To a call about a registration it says nothing that the contract knows."""
    assert Rejected is type(fail(Wire(answer({"errorCode": 40401}, 404)).service(), get))


@pytest.mark.parametrize("code", [40501, 40502, "READ_ONLY_ALLOWED", "WRITE_SOURCES_RESTRICTED"])
def test_an_account_without_writing_stops_all(code: int | str) -> None:
    """No other write would do better, so the second one is not sent; and it says what to do."""
    wire = Wire(
        answer({"errorCode": code}, 405)
        if isinstance(code, int)
        else service_exception(code, "Not allowed", 405)
    )

    async def twice(service: Service) -> None:
        with pytest.raises(WritingSwitchedOff, match="let whoever administers it allow them"):
            await service.update(DEVICE, "c", {"isPrimary": True})
        await service.depersonalize(DEVICE, "c")

    with pytest.raises(BreakerTripped, match="takes no writes over the API"):
        run(wire.service(), twice)
    assert 1 == len(wire.requests)


@pytest.mark.parametrize("body", [{}, {"errorCode": 40503}, b"<html>", {"errorCode": [40501]}])
def test_another_405_is_about_its_call_only(body: object) -> None:
    """A proxy that knows no PATCH says nothing about the account."""
    error = fail(Wire(answer(body, 405)).service(), update)
    assert not isinstance(error, Denied)


IMPOSSIBLE = [
    pytest.param(service_exception("PERSONALIZATION_IMPOSSIBLE", "x", 403), id="id"),
    pytest.param(service_exception("FORBIDDEN", "PERSONALIZATION_IMPOSSIBLE", 403), id="text"),
    pytest.param(
        answer({"errorCode": 40300, "errorMessage": "PERSONALIZATION_IMPOSSIBLE"}, 403), id="push"
    ),
    pytest.param(
        answer({"code": "PERSONALIZATION_IMPOSSIBLE", "details": [[[]]]}, 403), id="newest"
    ),
]


@pytest.mark.parametrize("reply", IMPOSSIBLE)
def test_a_403_to_an_unforced_personalize_is_about_its_device(reply: httpx.Response) -> None:
    """Others go on; the same words to any other call are about the key."""
    wire = Wire(reply, answer(REGISTRATION))

    async def both(service: Service) -> LiveRegistration:
        with pytest.raises(Rejected):
            await personalize(service)
        return await get(service)

    assert DEVICE == run(wire.service(), both).id

    async def forced(service: Service) -> None:
        await service.personalize(DEVICE, "c", {}, {"forceDepersonalize": "true"})

    for ask in (forced, update, depersonalize, owner):
        assert Denied is type(fail(Wire(reply).service(), ask))


def test_any_other_403_to_a_personalize_is_about_the_key() -> None:
    """What is not named does not get the benefit of the doubt."""
    for reply in (service_exception("FORBIDDEN", "Not yours", 403), answer(b"<html>", 403)):
        assert Denied is type(fail(Wire(reply).service(), personalize))


def entry(**fields: object) -> LiveRegistration:
    push = [{"registrationId": DEVICE, "applicationId": "APP-1", **fields}]
    wire = Wire(answer({"id": 1, "contactInformation": {"push": push}}))
    found: LivePerson = run(wire.service(), owner)
    return found.registrations[0]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"systemData": {"registrationEnabled": "true"}}, (ABSENT, True, ABSENT)),
        ({"systemData": {"registrationEnabled": "yes"}}, (ABSENT, ABSENT, ABSENT)),
        ({"additionalData": {"n": "5"}}, (ABSENT, ABSENT, ABSENT)),
        ({"isPrimary": "true", "additionalData": {"n": 5}}, (ABSENT, ABSENT, ABSENT)),
        ({"isPrimary": True, "additionalData": {"n": 5}}, (True, ABSENT, {"n": 5})),
        ({"isPrimary": False, "additionalData": {"n": "5"}}, (False, ABSENT, ABSENT)),
        ({"isPrimary": False, "additionalData": {"n": "5", "m": 1}}, (False, ABSENT, None)),
        ({"isPrimary": False, "additionalData": {"n": "van"}}, (False, ABSENT, {"n": "van"})),
    ],
)
def test_a_persons_entry_says_only_what_is_certain(
    fields: dict[str, object], expected: tuple[object, ...]
) -> None:
    """Text may stand for anything on a page: what is in doubt is ABSENT, for a point read."""
    found = entry(**fields)
    data = found.additional_data
    assert expected[:2] == (found.is_primary, found.registration_enabled)
    assert (fields["additionalData"] if expected[2] is None else expected[2]) == data


@pytest.mark.parametrize(
    ("data", "model"),
    [
        ({"deviceManufacturer": "Fairphone", "deviceModel": "FP5"}, "Fairphone FP5"),
        ({"deviceModel": "FP5"}, "FP5"),
        ({"deviceManufacturer": "Fairphone", "deviceModel": ""}, "Fairphone"),
        ({"deviceModel": None}, None),
        ({}, None),
        (None, None),
    ],
)
def test_both_ways_of_reading_tell_the_same_model(
    data: dict[str, object] | None, model: str | None
) -> None:
    """Maker and model, as far as they are known."""
    alone = answer(REGISTRATION | {"systemData": data})
    assert [model, model] == [entry(systemData=data).model, run(Wire(alone).service(), get).model]


BAD_BODIES = [
    pytest.param(b"", id="empty"),
    pytest.param(b"  \n", id="blank"),
    pytest.param(b"<html><body>Sign in</body></html>", id="html"),
    pytest.param(b'{"registrationId": "8621', id="truncated"),
    pytest.param(b"\xff\xfe\x00", id="binary"),
    pytest.param(b'{"registrationId": "\xff"}', id="not-utf8"),
    pytest.param(b"null", id="null"),
    pytest.param(b"[1, 2]", id="numbers"),
    pytest.param(b'"text"', id="text"),
    pytest.param(b"[" * 100_000, id="deep"),
    pytest.param(b'{"a":' * 100_000, id="deep-objects"),
]


@pytest.mark.parametrize("ask", [get, owner, person, update, personalize])
@pytest.mark.parametrize("body", BAD_BODIES)
def test_an_answer_that_is_not_the_contracts_is_an_error(ask: Ask, body: bytes) -> None:
    """No body makes the client crash: the error names the operation, and the device if any."""
    error = fail(Wire(answer(body)).service(), ask)
    name = "persons" if ask in (owner, person) else "get" if ask is get else ask.__name__
    truth = "unknown" if ask in (update, personalize) else "not done"
    assert (NotTheContract, name, truth) == (type(error), error.operation, error.truth)
    assert (ask is person) == (error.device is None)


@pytest.mark.parametrize(
    "changed",
    [
        {"registrationId": 7},
        {"registrationId": None},
        {"registrationId": "another"},
        {"registrationId": "another", "isPrimary": 3},
    ],
)
def test_an_answer_about_no_registration_or_another_is_an_error(
    changed: dict[str, object],
) -> None:
    """Nothing of it is believed."""
    assert NotTheContract is type(fail(Wire(answer(REGISTRATION | changed)).service(), get))


@pytest.mark.parametrize(
    ("changed", "path", "kind"),
    [
        ({"applicationId": None}, "applicationId", "null"),
        ({"isPrimary": "true"}, "isPrimary", "text"),
        ({"systemData": {"registrationEnabled": "true"}}, "registrationEnabled", "text"),
        ({"systemData": []}, "registrationEnabled", "list"),
        ({"additionalData": "x"}, "additionalData", "text"),
        ({"additionalData": []}, "additionalData", "list"),
    ],
)
def test_a_wrong_type_in_a_registration_is_named(
    changed: dict[str, object], path: str, kind: str
) -> None:
    """A value whose type is not the contract's is never guessed at, and costs only itself."""
    shown = run(Wire(answer(REGISTRATION | changed)).service(), get)

    assert (Unreadable(path, kind),) == shown.unreadable
    known = {
        "additionalData": shown.additional_data,
        "isPrimary": shown.is_primary,
        "registrationEnabled": shown.registration_enabled,
    }
    unknown = {name for name, value in known.items() if value is ABSENT}
    assert {path} & known.keys() == unknown


@pytest.mark.parametrize(
    "people",
    [
        pytest.param({}, id="no-id"),
        pytest.param({"id": "7"}, id="text-id"),
        pytest.param({"persons": None}, id="null"),
        pytest.param([PERSON, PERSON | {"id": 2}], id="two"),
        pytest.param(PERSON | {"contactInformation": {}}, id="somebody-else"),
        pytest.param({"id": 1, "contactInformation": {"push": [{}]}}, id="nameless-entry"),
    ],
)
def test_a_person_that_cannot_be_meant_is_an_error(people: object) -> None:
    """One identifier names one person, who has it."""
    assert NotTheContract is type(fail(Wire(answer(people)).service(), person))


MINE = {"contactInformation": {"emails": [{"address": "Ana@Example.com"}]}}


@pytest.mark.parametrize(
    "shown",
    [
        {},
        {"externalId": "c-1"},
        {"contactInformation": {"emails": [{"address": "bob@example.com"}]}},
        {"contactInformation": {"emails": [{"address": 7}]}},
        {"contactInformation": {"emails": "ana@example.com"}},
        {"contactInformation": [0]},
    ],
)
def test_a_personalize_that_does_not_show_the_identity_may_not_have_been_done(
    shown: dict[str, object],
) -> None:
    """A 200 alone does not say that the person was attached: it has to be who was meant."""
    run(Wire(answer(MINE)).service(), personalize)
    error = fail(Wire(answer(shown)).service(), personalize)
    assert (NotTheContract, "unknown") == (type(error), error.truth)


@pytest.mark.parametrize(
    "more", [{"tags": [None]}, {"firstName": {}}, {"externalId": 7}, {"customAttributes": []}]
)
def test_what_else_a_personalize_shows_is_nobodys_concern(more: dict[str, object]) -> None:
    """The person holds the identity that was sent; another value of theirs may be of any type."""
    run(Wire(answer(MINE | more)).service(), personalize)


@pytest.mark.parametrize("status", [201, 202, 204, 301, 302, 307, 308, 304])
@pytest.mark.parametrize("ask", [get, update, depersonalize])
def test_only_200_is_success_and_no_redirect_is_followed(ask: Ask, status: int) -> None:
    """A 202 has done nothing yet, and a redirect would carry the key elsewhere."""
    wire = Wire(answer(REGISTRATION, status, Location="http://evil.example/"))
    error = fail(wire.service(), ask)
    assert (NotTheContract, status, 1) == (type(error), error.status, len(wire.requests))
    assert "evil" not in str(error)


def test_an_answer_that_never_ends_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading stops at a size that no answer of the contract reaches."""
    monkeypatch.setattr("reconciler.api.exchange.LARGEST_ANSWER", 1000)
    error = fail(Wire(answer(b" " * 2000)).service(), get)
    assert (NotTheContract, 200) == (type(error), error.status)


def test_a_body_in_a_broken_encoding_is_an_error() -> None:
    """What says gzip and is not gzip is not the contract's."""

    def lie(request: httpx.Request) -> httpx.Response:
        stream = httpx.ByteStream(b"plain")
        return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=stream)

    assert NotTheContract is type(fail(Wire(lie).service(), get))


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (
            answer({"errorCode": 48013, "errorMessage": "No registration"}, 400),
            RegistrationNotFound,
        ),
        (answer({"errorCode": 48012, "errorMessage": "No application"}, 400), ApplicationNotFound),
        (answer({"errorCode": 48001, "errorMessage": "Code missing"}, 400), Rejected),
        (answer({"errorCode": 40902, "errorMessage": "OPTIMISTIC_LOCK"}, 409), Conflict),
        (service_exception("UNAUTHORIZED", "Invalid login details", 401), Denied),
        (service_exception("FORBIDDEN", "Not yours", 403), Denied),
        (answer(b"<html>no</html>", 403), Denied),
        (service_exception("NOT_FOUND", "Not found", 404), Rejected),
        (answer({"errorCode": "E400", "description": "Bad", "violations": []}, 400), Rejected),
        (answer(b"<html>no</html>", 400), NotTheContract),
        (answer(b"<html>no</html>", 404), NotTheContract),
        (answer(None, 404), NotTheContract),
    ],
)
def test_refusals_are_told_apart(reply: httpx.Response, kind: type[ApiError]) -> None:
    """Each documented refusal has its own error; a refusal is never repeated."""
    wire = Wire(reply)
    error = fail(wire.service(), update)
    truth = "unknown" if kind is NotTheContract else "not done"
    assert (kind, truth, 1) == (type(error), error.truth, len(wire.requests))


def test_an_error_says_operation_device_status_text_and_truth() -> None:
    """One line for a person: what, whom, how it ended, and what is true now."""
    error = fail(Wire(service_exception("GENERAL_ERROR", "Oops", 500)).service(), personalize)
    assert (
        f"personalize of device {DEVICE}: POST /people/2/contactInformation/push/{DEVICE}"
        "/personalize answered 500: GENERAL_ERROR Oops (it is unknown whether it was done)"
    ) == str(error)
    assert ServerFailed is type(error)


def test_a_404_that_is_no_answer_of_the_service_is_not_nobody() -> None:
    """A proxy's 404 page must not make every owner look like nobody."""
    assert NotTheContract is type(fail(Wire(answer(b"<html>404</html>", 404)).service(), owner))


@pytest.mark.parametrize(
    ("failure", "truth"),
    [
        (httpx.ConnectError("refused"), "not done"),
        (httpx.ConnectTimeout("slow"), "not done"),
        (httpx.ReadTimeout("slow"), "unknown"),
        (httpx.ReadError("reset"), "unknown"),
        (httpx.WriteError("reset"), "unknown"),
    ],
)
def test_no_answer_says_whether_anything_can_have_happened(failure: Exception, truth: str) -> None:
    """Only a connection that was never made is surely not done."""
    error = fail(Wire(failure).service(), personalize)
    assert (NoAnswer, truth, None) == (type(error), error.truth, error.status)


def test_an_answer_cut_off_by_the_network_is_asked_for_again() -> None:
    """A connection that dies inside an answer passes by itself; a write's outcome is unknown."""
    cut = httpx.RemoteProtocolError("peer closed connection")
    assert DEVICE == run(Wire(cut, answer(REGISTRATION)).service(), get).id
    error = fail(Wire(cut).service(), personalize)
    assert (NotTheContract, "unknown", 1) == (type(error), error.truth, error.attempts)


@pytest.mark.parametrize(
    ("credential", "header"),
    [
        (ApiKeyCredential(Secret("k-1")), "App k-1"),
        (IbssoCredential(Secret("t-1")), "IBSSO t-1"),
        (
            BasicCredential("ana", Secret("pä:ss")),
            "Basic " + base64.b64encode("ana:pä:ss".encode()).decode(),
        ),
    ],
)
def test_each_way_to_authenticate_has_its_header(credential: Credential, header: str) -> None:
    """App, IBSSO and Basic are made from the credential itself."""
    wire = Wire(answer(REGISTRATION))
    run(wire.service(credential=credential), get)
    assert header == wire.requests[0].headers["Authorization"]


@pytest.mark.parametrize("secret", ["", "a b", "a\nb", "kéy", "\x00"])
def test_a_credential_that_no_header_can_carry_is_refused_without_showing_it(secret: str) -> None:
    """It is refused before a library can echo it."""
    with pytest.raises(UnusableCredential) as caught:
        Wire(answer()).service(credential=ApiKeyCredential(Secret(secret)))
    assert secret == "" or secret not in str(caught.value)


def test_a_retried_call_counts_once() -> None:
    """Each operation is counted by itself; a plan of a bad day has the same bytes."""
    wire = Wire(service_exception("GENERAL_ERROR", "Oops", 500), answer(REGISTRATION))
    service = wire.service(FakeTime())
    run(service, get)
    assert dict.fromkeys(Operation, 0) | {"get": 1} == dict(service.counts)


KEYS = (
    RegistrationKey(DEVICE, "APP-1"),
    IdentityValue.of(IdentityKind.EMAIL, "Ana@Example.com"),
)


async def match(service: Service) -> Any:
    return await service.match(KEYS)


def test_a_match_names_all_and_returns_numbers() -> None:
    """One POST without AppCode; what comes back is a number for each that was found."""
    found = {"type": "PUSH", "identifier": DEVICE, "sender": "APP-1", "personId": 8}
    wire = Wire(answer({"matches": [found]}))
    assert {KEYS[0]: 8} == run(wire.service(FakeTime()), match)
    (request,) = wire.requests
    assert ("POST", "/people/2/persons/match") == (request.method, request.url.path)
    assert "AppCode" not in request.headers
    assert {
        "identities": [
            {"type": "PUSH", "identifier": DEVICE, "sender": "APP-1"},
            {"type": "EMAIL", "identifier": "ana@example.com"},
        ]
    } == json.loads(request.content)


@pytest.mark.parametrize("status", [403, 404, 405, 501, 500])
def test_a_refused_match_ends_no_run_and_shows_no_identity(status: int) -> None:
    """It is told once; every other call goes on, and nobody is matched any more."""
    events: list[Event] = []
    refusal = service_exception("NO", f"No {KEYS[1].reveal()} for you", status)
    wire = Wire(*[refusal] * (3 if status == 500 else 1), answer(REGISTRATION))

    async def both(service: Service) -> Any:
        service.report_to(events.append)
        return await service.match(KEYS), await get(service), await service.match(KEYS)

    service = wire.service(FakeTime())
    nobody, registration, still_nobody = run(service, both)
    assert ({}, DEVICE, {}) == (nobody, registration.id, still_nobody)
    assert not service.can_match
    (refused,) = [event for event in events if isinstance(event, MatchRefused)]
    assert f"answered {status}" in refused.why
    assert "ana@example.com" not in refused.why


def test_a_match_with_credentials_that_are_not_accepted_ends_the_run() -> None:
    """A 401 is about the key and not about the call."""
    error = fail(Wire(service_exception("UNAUTHORIZED", "No", 401)).service(FakeTime()), match)
    assert (Denied, 401) == (type(error), error.status)
