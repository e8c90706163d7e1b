"""The service's documented requests, answers and errors, over real HTTP against the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from reconciler.core.identity import IdentityKind, IdentityValue
from reconciler.platform.world import Person, Registration, World
from reconciler.sandbox.serve import RunningSandbox, SandboxOptions

ID = "8621824C-86B2-41F7-BF6F-20D3B1426005"
APPLICATION = "753CBCDC1D587223934106E2A2AEDD44"
PATH = f"/people/2/contactInformation/push/{ID}"
HEADERS = {"Authorization": "App 003026bbc133714df1834b8638bb496e", "AppCode": "app-code"}
SYSTEM: dict[str, str | bool] = {
    "cloudType": "GCM",
    "notificationsEnabled": True,
    "geofencingSdk": True,
    "sdkVersion": "2.0.9.1",
    "appVersion": "1.16.0",
    "os": "Android",
    "osVersion": "8.0.0",
    "deviceManufacturer": "HUAWEI",
    "deviceModel": "ANE-LX1",
    "deviceSecure": True,
    "osLanguage": "en",
    "deviceTimezoneOffset": "GMT+03:00",
    "deviceName": "ANE-LX1",
}
REGISTRATION = {
    "registrationId": ID,
    "applicationId": APPLICATION,
    "isPrimary": False,
    "systemData": {**SYSTEM, "registrationEnabled": True},
}
WORLD = World.of(
    [
        Person(
            1,
            frozenset(
                {
                    IdentityValue.of(IdentityKind.EXTERNAL_ID, "external-user-id"),
                    IdentityValue.of(IdentityKind.PHONE_NUMBER, "79810000000"),
                    IdentityValue.of(IdentityKind.EMAIL, "my.email@example.com"),
                }
            ),
        ),
        Person(2, is_lead=True, created_at="2026-02-01T00:00:00"),
    ],
    [
        Registration(ID, APPLICATION, 2, system_data=SYSTEM),
        Registration("a/b?ö", APPLICATION, 1, is_primary=True),
    ],
    {"app-code": APPLICATION, "other-code": "OTHER"},
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with RunningSandbox(SandboxOptions(world=WORLD, limits=None)) as running:
        yield running


@pytest.fixture
def client(sandbox: RunningSandbox) -> Iterator[httpx.Client]:
    sandbox.set_world(WORLD)
    sandbox.forget_calls()
    with httpx.Client(base_url=sandbox.url, headers=HEADERS, trust_env=False) as made:
        yield made


def test_get_answers_with_the_registration(client: httpx.Client) -> None:
    """The documented example, to the letter; additionalData is absent where there is none."""
    answer = client.get(PATH)
    assert (200, "application/json") == (answer.status_code, answer.headers["content-type"])
    assert REGISTRATION == answer.json()


def test_patch_answers_with_the_whole_registration(client: httpx.Client) -> None:
    """The documented request changes three fields and leaves the rest."""
    request = {
        "isPrimary": True,
        "systemData": {"registrationEnabled": True},
        "additionalData": {"discountApplied": False},
    }
    answer = client.patch(PATH, json=request)
    expected = {**REGISTRATION, "isPrimary": True, "additionalData": {"discountApplied": False}}
    assert (200, expected) == (answer.status_code, answer.json())
    assert expected == client.get(PATH).json()


def test_personalize_answers_with_the_person(client: httpx.Client) -> None:
    """The documented request finds the person by external id and adds tags and attributes."""
    request = {
        "identity": {"externalId": "external-user-id"},
        "attributes": {
            "tags": ["Personalized"],
            "customAttributes": {"personalizationCompleted": True},
        },
    }
    answer = client.post(f"{PATH}/personalize", json=request)
    expected = {
        "externalId": "external-user-id",
        "customAttributes": {"personalizationCompleted": True},
        "tags": ["Personalized"],
        "contactInformation": {
            "phones": [{"number": "79810000000"}],
            "emails": [{"address": "my.email@example.com"}],
        },
    }
    assert (200, expected) == (answer.status_code, answer.json())


def test_return_push_shows_the_registrations(client: httpx.Client) -> None:
    """With returnPush=true the person comes with its registrations."""
    answer = client.post(
        f"{PATH}/personalize?returnPush=true", json={"identity": {"externalId": "external-user-id"}}
    )
    pushes = answer.json()["contactInformation"]["push"]
    assert REGISTRATION in pushes
    assert 2 == len(pushes)


def test_depersonalize_answers_with_nothing(client: httpx.Client) -> None:
    """200 with an empty body."""
    answer = client.post("/people/2/contactInformation/push/a%2Fb%3F%C3%B6/depersonalize")
    assert (200, b"") == (answer.status_code, answer.content)


def test_an_id_may_hold_anything(client: httpx.Client) -> None:
    """An encoded slash, question mark and umlaut are part of the id."""
    answer = client.get("/people/2/contactInformation/push/a%2Fb%3F%C3%B6")
    assert (200, "a/b?ö") == (answer.status_code, answer.json()["registrationId"])


@pytest.mark.parametrize("method", ["GET", "PATCH", "POST personalize", "POST depersonalize"])
@pytest.mark.parametrize(
    ("code", "path", "expected"),
    [
        (None, PATH, {"errorCode": 48001, "errorMessage": "Application code missing"}),
        ("wrong", PATH, {"errorCode": 48012, "errorMessage": "Push application not found"}),
        ("other-code", PATH, {"errorCode": 48013, "errorMessage": "Push registration not found"}),
        (
            "app-code",
            PATH + "0",
            {"errorCode": 48013, "errorMessage": "Push registration not found"},
        ),
    ],
)
def test_the_documented_push_errors(
    sandbox: RunningSandbox, method: str, code: str | None, path: str, expected: dict[str, Any]
) -> None:
    """All four calls answer 400 with 48001, 48012 and 48013, the latter for unknown ids too."""
    headers = {"Authorization": HEADERS["Authorization"]}
    if code is not None:
        headers["AppCode"] = code
    verb, _, under = method.partition(" ")
    body = None if verb == "GET" else {"identity": {"externalId": "x"}}
    answer = httpx.request(
        verb, f"{sandbox.url}{path}{'/' if under else ''}{under}", headers=headers, json=body
    )
    assert (400, expected) == (answer.status_code, answer.json())


@pytest.mark.parametrize(
    ("authorization", "status", "message_id", "text"),
    [
        (None, 401, "UNAUTHORIZED", "Unauthorized"),
        ("App revoked", 401, "UNAUTHORIZED", "Unauthorized"),
        ("App forbidden", 403, "FORBIDDEN", "Forbidden"),
    ],
)
@pytest.mark.parametrize("path", [PATH, "/people/2/persons"])
def test_the_documented_authorization_errors(
    sandbox: RunningSandbox,
    authorization: str | None,
    status: int,
    message_id: str,
    text: str,
    path: str,
) -> None:
    """401 and 403 come in the exception shape."""
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = httpx.get(sandbox.url + path, headers=headers)
    expected = {"requestError": {"serviceException": {"messageId": message_id, "text": text}}}
    assert (status, expected) == (answer.status_code, answer.json())


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/people/2/persons/", 404),
        ("GET", "/people/2/contactInformation/push/", 404),
        ("GET", PATH + "/x", 404),
        ("POST", PATH + "/personalize/x", 404),
        ("DELETE", PATH, 405),
        ("OPTIONS", PATH, 405),
        ("GET", PATH + "/personalize", 405),
        ("POST", "/people/2/persons", 405),
    ],
)
def test_unknown_routes_and_methods(
    client: httpx.Client, method: str, path: str, status: int
) -> None:
    """Both are exceptions in JSON; a 405 says what is allowed."""
    answer = client.request(method, path)
    assert status == answer.status_code
    assert {"messageId", "text"} == set(answer.json()["requestError"]["serviceException"])
    assert (status == 405) == ("allow" in answer.headers)
    assert 405 == client.head(PATH).status_code


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"[]", b"\xff", b'{"a": NaN}', b"[" * 100_000, b" " * 2_000_000],
    ids=["empty", "cut", "null", "list", "binary", "nan", "deep", "huge"],
)
def test_a_garbage_body_is_a_400(client: httpx.Client, body: bytes) -> None:
    """Whatever is no JSON object is refused in the push error shape, and the connection goes on."""
    for verb, path in (("PATCH", PATH), ("POST", f"{PATH}/personalize")):
        answer = client.request(verb, path, content=body)
        assert (400, {"errorCode", "errorMessage"}) == (answer.status_code, set(answer.json()))


def test_the_owner_of_a_registration(client: httpx.Client) -> None:
    """type=PUSH with identifier and sender shows the one person; it needs no AppCode."""
    del client.headers["AppCode"]
    query = {"type": "PUSH", "identifier": "a/b?ö", "sender": APPLICATION}
    answer = client.get("/people/2/persons", params=query)
    expected = {
        "id": 1,
        "createdAt": "2026-01-01T00:00:00",
        "modifiedAt": "2026-01-01T00:00:00",
        "type": "CUSTOMER",
        "origin": "API",
        "externalId": "external-user-id",
        "contactInformation": {
            "phone": [{"number": "79810000000"}],
            "email": [{"address": "my.email@example.com"}],
            "push": [
                {
                    "registrationId": "a/b?ö",
                    "applicationId": APPLICATION,
                    "isPrimary": True,
                    "systemData": {"registrationEnabled": "true"},
                }
            ],
        },
    }
    assert (200, expected) == (answer.status_code, answer.json())


def test_nobody_is_a_404(client: httpx.Client) -> None:
    """An identifier that nobody has answers 404, the push id of another application too."""
    for query in (
        {"type": "EXTERNAL_ID", "identifier": "nobody"},
        {"type": "PUSH", "identifier": ID, "sender": "OTHER"},
        {"type": "LINE", "identifier": "x", "sender": "y"},
    ):
        answer = client.get("/people/2/persons", params=query)
        details = answer.json()["requestError"]["serviceException"]
        assert (404, "PERSON_DOES_NOT_EXIST") == (answer.status_code, details["messageId"])


def test_pages(client: httpx.Client) -> None:
    """Default page of 20; limit, page, order and count as documented."""
    answer = client.get("/people/2/persons").json()
    assert ([1, 2], 1, 20) == (
        [one["id"] for one in answer["persons"]],
        answer["page"],
        answer["limit"],
    )
    assert "totalCount" not in answer
    query = {"limit": 1, "page": 1, "orderBy": "createdAt:desc", "includeTotalCount": "true"}
    answer = client.get("/people/2/persons", params=query).json()
    assert ([2], 2) == ([one["id"] for one in answer["persons"]], answer["totalCount"])


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=ten",
        "page=0",
        "page=99999999999",
        "orderBy=age",
        "orderBy=createdAt:up",
        "includeTotalCount=maybe",
        "filter={",
        "type=PUSH&identifier=x",
        "type=HORSE&identifier=x",
        "identifier=x",
        "type=ID&identifier=x",
    ],
)
def test_a_wrong_query_is_a_400(client: httpx.Client, query: str) -> None:
    """What the contract does not allow in a query is refused in the exception shape."""
    answer = client.get(f"/people/2/persons?{query}")
    assert (400, ["requestError"]) == (answer.status_code, list(answer.json()))


def test_limits_are_per_operation(client: httpx.Client) -> None:
    """The sixth look-up within a second is a 429; a GET goes on."""
    with RunningSandbox(SandboxOptions(world=WORLD)) as limited:
        client.base_url = httpx.URL(limited.url)
        statuses = [client.get("/people/2/persons").status_code for _ in range(6)]
        assert [200] * 5 + [429] == statuses
        assert 200 == client.get(PATH).status_code
        expected = {"messageId": "TOO_MANY_REQUESTS", "text": "Too many requests"}
        answer = client.get("/people/2/persons").json()
        assert {"requestError": {"serviceException": expected}} == answer


def test_a_token_can_be_had_and_used(client: httpx.Client) -> None:
    """The client-credentials grant gives a bearer token that the API takes."""
    form = {"grant_type": "client_credentials", "client_id": "me", "client_secret": "word"}
    token = client.post("/auth/1/oauth2/token", data=form).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert 200 == client.get(PATH, headers=headers).status_code
    assert 401 == client.get(PATH, headers={"Authorization": "Bearer sandbox-token-99"}).status_code


def test_the_sandbox_shows_calls_and_world(sandbox: RunningSandbox, client: httpx.Client) -> None:
    """The log has each call with the people it touched; the app's changes show in the world."""
    client.get(PATH)
    client.post(f"{PATH}/personalize", json={"identity": {"externalId": "external-user-id"}})
    log = client.get("/_sandbox/calls").json()
    assert {"get": {"200": 1}, "personalize": {"200": 1}} == log["counts"]
    assert [("get", []), ("personalize", [1, 2])] == [
        (call["operation"], call["people"]) for call in log["calls"]
    ]
    assert all(call["start"] <= call["end"] for call in log["calls"])
    client.put(f"/_sandbox/registrations/{ID}", json={"additionalData": {"seen": True}})
    assert {"seen": True} == sandbox.world().registrations[ID].additional_data
    world = client.get("/_sandbox/world").json()
    assert ID in {one["registrationId"] for one in world["registrations"]}
    assert 400 == client.put("/_sandbox/world", json={"peple": []}).status_code
    world["registrations"] = []
    assert 204 == client.put("/_sandbox/world", json=world).status_code
    assert 0 == len(sandbox.world().registrations)
    assert 404 == client.delete(f"/_sandbox/registrations/{ID}").status_code
    assert 204 == client.delete("/_sandbox/calls").status_code
    assert () == sandbox.calls()
