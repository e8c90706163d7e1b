"""A small service whose answers may hold anything: what JSON text stands for a value is sent so.

It knows one application, answers every read of the main job and PATCH, and keeps what was sent; of
additionalData it changes the key `fleet` alone, and stores that as the world's `stores` says.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

Json = dict[str, Any]
APPLICATION: Final = "APP0"
PUSH: Final = "/people/2/contactInformation/push/"


@dataclass(frozen=True, slots=True)
class Raw:
    """A value as the text that is sent for it."""

    text: str


def encode(value: object) -> str:
    """Encode JSON in which some values stand as their text."""
    match value:
        case Raw():
            return value.text
        case dict():
            members = (f"{json.dumps(key)}:{encode(item)}" for key, item in value.items())
            return f"{{{','.join(members)}}}"
        case list():
            return f"[{','.join(map(encode, value))}]"
        case _:
            return json.dumps(value)


@dataclass(slots=True)
class OddWorld:
    """People by number and registrations by id, as they are shown. `owners` says whose is what, and
    `holders` who is found by which external id: whatever the person shows of itself."""

    people: dict[int, Json] = field(default_factory=dict)
    registrations: dict[str, Json] = field(default_factory=dict)
    owners: dict[str, int] = field(default_factory=dict)
    holders: dict[str, int] = field(default_factory=dict)
    patches: list[tuple[str, bytes]] = field(default_factory=list)
    page: Mapping[str, object] = field(default_factory=dict)
    # The value that is stored for one that is sent (None: no value), and the answer to the PATCH.
    stores: Callable[[object], object] = lambda value: value
    answers: Callable[[Json], object] = lambda registration: registration

    def add(self, number: int, external_id: str, *devices: str) -> None:
        """Add a person with some registrations, all of them ordinary."""
        self.people[number] = {
            "id": number,
            "type": "CUSTOMER",
            "externalId": external_id,
            "firstName": "Ana",
            "birthDate": "1990-01-01",
            "tags": ["courier"],
            "customAttributes": {"vehicle": "van"},
            "contactInformation": {
                "phone": [{"number": f"38591000{number:04}"}],
                "email": [{"address": f"p{number}@example.com"}],
                "push": [],
            },
        }
        self.holders[external_id] = number
        for device in devices:
            self.owners[device] = number
            self.registrations[device] = {
                "registrationId": device,
                "applicationId": APPLICATION,
                "isPrimary": False,
                "systemData": {"registrationEnabled": True, "deviceModel": "P8"},
                "additionalData": {"fleet": "zagreb", "visits": 3},
            }

    def person(self, number: int) -> Json:
        """Return a person as shown: their registrations stand on them."""
        shown = dict(self.people[number])
        contacts = shown.get("contactInformation")
        if isinstance(contacts, dict) and contacts.get("push") == []:
            push = [
                self.registrations[id_] for id_, owner in self.owners.items() if owner == number
            ]
            shown["contactInformation"] = {**contacts, "push": push}
        return shown


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body are written apart; the second would wait 40 ms for the first's receipt.
    disable_nagle_algorithm = True
    world: OddWorld

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _answer(self, body: object, status: int = 200) -> None:
        data = encode(body).encode("utf-8", "surrogatepass")
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/people/2/persons":
            self._persons(query)
        elif url.path.startswith(PUSH):
            id_ = unquote(url.path.removeprefix(PUSH))
            if id_ in self.world.registrations:
                self._answer(self.world.registrations[id_])
            else:
                self._answer(
                    {"errorCode": 48013, "errorMessage": "Push registration not found"}, 400
                )
        else:
            self._answer({"requestError": {"serviceException": {"messageId": "FORBIDDEN"}}}, 403)

    def _persons(self, query: Mapping[str, str]) -> None:
        world = self.world
        if "identifier" not in query:
            people = [world.person(number) for number in sorted(world.people)]
            self._answer({"persons": people, "totalCount": len(people), **world.page})
            return
        identifier = query["identifier"]
        owners = world.owners if query["type"] == "PUSH" else world.holders
        number = int(identifier) if query["type"] == "ID" else owners.get(identifier)
        if number in world.people:
            self._answer(world.person(number))
        else:
            self._answer({"errorCode": "40401", "errorMessage": "PERSON_DOES_NOT_EXIST"}, 404)

    def do_POST(self) -> None:
        body = json.loads(self._body())
        if self.path != "/people/2/persons/match":
            self._answer({"errorCode": 40000, "errorMessage": "Not modelled"}, 400)
            return
        known = {"PUSH": self.world.owners, "EXTERNAL_ID": self.world.holders}
        found = [
            {**asked, "personId": known[asked["type"]][asked["identifier"]]}
            for asked in body["identities"]
            if asked["identifier"] in known.get(asked["type"], {})
        ]
        self._answer({"matches": found})

    def do_PATCH(self) -> None:
        body = self._body()
        id_ = unquote(self.path.removeprefix(PUSH))
        self.world.patches.append((id_, body))
        registration = self.world.registrations[id_]
        sent = json.loads(body)
        for name in ("isPrimary",):
            if name in sent:
                registration[name] = sent[name]
        data = registration.get("additionalData")
        held = dict(data) if isinstance(data, dict) else {}
        for key, value in sent.get("additionalData", {}).items():
            if key == "fleet":
                stored = None if value is None else self.world.stores(value)
                held[key] = stored
        registration["additionalData"] = {
            key: value for key, value in held.items() if value is not None
        }
        self._answer(self.world.answers(registration))


@contextmanager
def serve(world: OddWorld) -> Iterator[str]:
    """Serve a world on a port of 127.0.0.1; give the URL."""
    handler = type("Handler", (_Handler,), {"world": world})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
