"""What others changed since the last apply, as a user asks for it."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.sandbox.serve import RunningSandbox, SandboxOptions
from reconciler.state.lease import Holder
from reconciler.state.local import LocalState
from tests.worlds import identity_values

from .harness import ROOT, Project, Sandbox

PROJECT = """\
apiVersion: reconciler/v1
kind: Project
api:
  baseUrl: ${SANDBOX_URL}
  auth: {apiKey: "${SANDBOX_KEY}"}
  limits: {get: 5000, update: 5000, personalize: 5000, depersonalize: 5000, persons: 5000}
applications:
  courier: {appCode: courier-app-code}
  shop: {appCode: shop-app-code}
manifests: [devices/*.yaml]
"""
MANIFEST = """\
apiVersion: reconciler/v1
kind: Devices
application: courier
people:
  ana: {externalId: external-ana}
defaults:
  additionalData: {fleet: zagreb}
devices:
  one: {owner: ana, label: Ana's, isPrimary: true}
  two: {additionalData: {shift: night}}
  three: {}
"""
WORLD: dict[str, Any] = {
    "applications": {"courier-app-code": "A1", "shop-app-code": "A2"},
    "people": [
        {"id": 1, "externalId": "external-ana", "phoneNumbers": ["385911234567"]},
        {"id": 2, "externalId": "external-ivo"},
    ],
    "registrations": [
        {"registrationId": "one", "applicationId": "A1", "owner": 1},
        {"registrationId": "two", "applicationId": "A1", "owner": 2},
        {"registrationId": "three", "applicationId": "A1"},
    ],
}
SCHEMA = json.loads((ROOT / "schemas" / "drift.schema.json").read_bytes())


def behind_our_back(url: str, registration: str, change: object, method: str = "PUT") -> None:
    """Let the app or a colleague change a registration."""
    request = urllib.request.Request(
        f"{url}/_sandbox/registrations/{registration}",
        method=method,
        data=json.dumps(change).encode(),
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.open(request, timeout=10).close()


@pytest.fixture
def applied(tmp_path: Path) -> Iterator[Project]:
    """A project of three devices that were applied."""
    with RunningSandbox(SandboxOptions(limits=None)) as running:
        Sandbox(running.url).put_world(WORLD)
        project = Project(tmp_path, running.url)
        project.write("reconciler.yaml", PROJECT)
        project.write("devices/all.yaml", MANIFEST)
        ran = project.run("apply", "--yes")
        assert ran.exit == 0, ran.err
        yield project


def test_after_an_apply_there_is_none(applied: Project) -> None:
    """In every form; and nothing is written anywhere."""
    before = Sandbox(applied.url).calls()
    for form in ("text", "markdown"):
        ran = applied.run("drift", "--detailed-exitcode", "--format", form)
        assert (0, "") == (ran.exit, ran.err)
        assert "No drift: 3 devices are as applied.\n" in ran.out.replace("**", "")
    document = applied.run("drift", "--format", "json").json()
    none = {"drifted": 0, "gone": 0, "both": 0, "filesMoved": 0, "notCompared": 0}
    assert {"devices": 3, "asApplied": 3, **none} == document["summary"]
    after = Sandbox(applied.url).calls()["calls"][len(before["calls"]) :]
    assert {"get", "match"} == {call["operation"] for call in after}


def test_what_others_changed_is_named(applied: Project) -> None:
    """Field by field, with what we applied; people are names."""
    behind_our_back(applied.url, "one", {"owner": 2, "isPrimary": False})
    behind_our_back(applied.url, "two", {"additionalData": {"shift": "day", "private": "x"}})
    behind_our_back(applied.url, "three", None, "DELETE")
    ran = applied.run("drift", "--detailed-exitcode")
    assert (2, "") == (ran.exit, ran.err)
    assert ran.out == (
        '~ one  "Ana\'s"  courier  devices/all.yaml:9:3\n'
        "    owner      is person 2, applied devices/all.yaml#people.ana  (changed by others)\n"
        "    isPrimary  is false, applied true  (changed by others)\n\n"
        "~ three  courier  devices/all.yaml:11:3\n"
        "    gone: the service knows no such registration\n\n"
        "~ two  courier  devices/all.yaml:10:3\n"
        '    additionalData.shift  is "day", applied "night"  (changed by others)\n\n'
        "Drift: 3 of 3 devices, 1 of them gone.\n"
        "reconciler plan shows what apply would fix; onDrift says what it leaves.\n"
    )
    assert 0 == applied.run("drift").exit


def test_who_moved_is_told_apart(applied: Project) -> None:
    """The service, the files, or both; a device that left the files is compared still."""
    behind_our_back(applied.url, "two", {"additionalData": {"shift": "day", "fleet": "split"}})
    text = MANIFEST.replace("shift: night", "shift: noon").replace("  three: {}\n", "")
    applied.write("devices/all.yaml", text)
    document = applied.run("drift", "--format", "json").json()
    Draft202012Validator(SCHEMA).validate(document)
    moved = {
        (device["device"], field["path"]): (
            field["moved"],
            field["applied"],
            field["live"],
            field["declared"],
        )
        for device in document["devices"]
        for field in device["fields"]
    }
    assert {
        ("two", "additionalData.fleet"): ("service", "zagreb", "split", "zagreb"),
        ("two", "additionalData.shift"): ("both", None, "day", "noon"),
    } == moved
    left = next(device for device in document["devices"] if device["device"] == "three")
    assert (None, "there", []) == (left["source"], left["found"], left["fields"])
    assert 1 == document["summary"]["filesMoved"]
    shown = applied.run("drift", "--format", "markdown").out
    assert "| `three` | `courier` |  |  |  | left the files | the files |" in shown
    assert '| `two` | `courier` | `additionalData.shift` | `"day"` | not known |' in shown


@pytest.mark.parametrize("choice", ["points", "sweep"])
def test_it_can_be_read_in_both_ways(applied: Project, choice: str) -> None:
    """With the same result."""
    behind_our_back(applied.url, "two", {"additionalData": {"shift": "day"}})
    document = applied.run("drift", "--format", "json", "--read", choice).json()
    assert choice == document["reads"]["strategy"]
    assert ["two"] == [device["device"] for device in document["devices"]]


def test_no_identity_value_is_in_any_output(applied: Project) -> None:
    """Neither of the declared people nor of others."""
    behind_our_back(applied.url, "one", {"owner": 2})
    known = identity_values(WORLD)
    assert known
    for form in ("text", "json", "markdown"):
        ran = applied.run("-v", "drift", "--format", form)
        assert [value for value in known if value in ran.out + ran.err] == []


def test_many_alike_are_one_block(tmp_path: Path) -> None:
    """Twenty devices that others changed in the same way are told once."""
    ids = [f"device-{number:02}" for number in range(20)]
    world = {
        **WORLD,
        "registrations": [{"registrationId": id_, "applicationId": "A1"} for id_ in ids],
    }
    with RunningSandbox(SandboxOptions(limits=None)) as running:
        Sandbox(running.url).put_world(world)
        project = Project(tmp_path, running.url)
        project.write("reconciler.yaml", PROJECT)
        devices = "".join(f"  {id_}: {{additionalData: {{tier: a}}}}\n" for id_ in ids)
        head = "apiVersion: reconciler/v1\nkind: Devices\napplication: courier\ndevices:\n"
        project.write("devices/all.yaml", head + devices)
        assert project.run("apply", "--yes").exit == 0
        for id_ in ids:
            behind_our_back(running.url, id_, {"additionalData": {"tier": "b"}})
        ran = project.run("drift")
        shown = project.run("drift", "--format", "markdown")
    assert "~ 20 devices  courier" in ran.out
    assert "on device-00, device-01, device-02 and 17 more" in ran.out
    assert 1 == shown.out.count("additionalData.tier")
    assert "20 devices: `device-00`, `device-01`, `device-02` and 17 more |" in shown.out


def test_without_a_record_there_is_nothing_to_compare(tmp_path: Path) -> None:
    """And none is started."""
    project = Project(tmp_path, "http://127.0.0.1:1")
    project.write("reconciler.yaml", PROJECT)
    project.write("devices/all.yaml", MANIFEST)
    ran = project.run("drift")
    assert (1, "") == (ran.exit, ran.out)
    assert "There is no state here" in ran.err
    assert not (tmp_path / ".reconciler").exists()
    empty = project.write(".reconciler/state.db", "")
    assert "There is no state here" in project.run("drift").err
    assert 0 == empty.stat().st_size


def test_an_application_is_chosen_by_its_name(applied: Project) -> None:
    """A misspelt one is wrong usage."""
    ran = applied.run("drift", "--application", "curier")
    assert 64 == ran.exit
    assert "Did you mean courier?" in ran.err
    assert "3 devices are as applied" in applied.run("drift", "--application", "courier").out
    none = applied.run("drift", "--application", "shop")
    assert (0, "No drift: the state holds no device of this application.\n") == (
        none.exit,
        none.out,
    )


def test_devices_of_an_application_that_the_project_lost_are_counted(applied: Project) -> None:
    """They cannot be read, and that is not passed over in silence."""
    applied.write("reconciler.yaml", PROJECT.replace("courier: {appCode", "van: {appCode"))
    applied.write("devices/all.yaml", MANIFEST.replace("courier", "van"))
    ran = applied.run("drift", "--detailed-exitcode")
    assert 0 == ran.exit
    assert (
        "warning: The project has no application courier any more: 3 devices of it in the state"
        in ran.err
    )
    assert ran.out == (
        "No drift: the state holds no device that can be compared. 3 devices cannot be compared: "
        "the project does not have their application any more.\n"
    )
    document = applied.run("drift", "--format", "json").json()
    assert (0, 3) == (document["summary"]["devices"], document["summary"]["notCompared"])


def test_a_device_that_left_the_files_tells_what_was_applied(applied: Project) -> None:
    """Of a flag by its digest, of the owner while the files still declare that person."""
    behind_our_back(applied.url, "one", {"owner": 2, "isPrimary": False})
    text = MANIFEST.replace("  one: {owner: ana, label: Ana's, isPrimary: true}\n", "")
    applied.write("devices/all.yaml", text.replace("three: {}", "three: {owner: ana}"))
    assert applied.run("drift").out.startswith(
        "~ one  courier  left the files\n"
        "    owner      is person 2, applied devices/all.yaml#people.ana  (changed by others)\n"
        "    isPrimary  is false, applied true  (changed by others)\n\n"
        "~ three  courier  devices/all.yaml:10:3\n"
        "    owner  is nobody, declared devices/all.yaml#people.ana  (the files moved)\n\n"
    )
    applied.write("devices/all.yaml", text)
    assert "owner      is person 2, not what was applied  (changed" in applied.run("drift").out


def test_while_somebody_applies_it_says_so(applied: Project) -> None:
    """What is not noted yet would look as if others had changed it."""
    holder = Holder("ci", "build-7", os.getpid(), None, datetime.now(UTC))
    with (
        LocalState.open(applied.root / ".reconciler" / "state.db", create=False) as state,
        state.lease(holder),
    ):
        ran = applied.run("drift")
    assert 0 == ran.exit
    assert "ci on build-7 is applying since " in ran.err
    assert "what drift reads may still change." in ran.err


def test_from_another_directory(applied: Project, tmp_path: Path) -> None:
    """With -C; and a service that does not answer is an error, not drift."""
    behind_our_back(applied.url, "two", {"additionalData": {"shift": "day"}})
    elsewhere = Project(tmp_path / ".home", applied.url)
    ran = elsewhere.run("-C", "..", "drift", "--detailed-exitcode")
    assert 2 == ran.exit, ran.err
    assert "~ two  courier  devices/all.yaml:10:3" in ran.out
    lost = applied.run(
        "drift", "--detailed-exitcode", "--timeout", "20s", SANDBOX_URL="http://127.0.0.1:1"
    )
    assert (1, "") == (lost.exit, lost.out)


def test_the_record_is_as_it_was(applied: Project) -> None:
    """Nothing is noted, whatever was found."""
    behind_our_back(applied.url, "two", {"additionalData": {"shift": "day"}})
    before = applied.run("state", "pull").out
    assert 2 == applied.run("drift", "--detailed-exitcode").exit
    assert before == applied.run("state", "pull").out


def test_an_empty_record_is_no_drift(tmp_path: Path) -> None:
    """A plan started it, and nothing was applied yet."""
    with RunningSandbox(SandboxOptions(limits=None)) as running:
        Sandbox(running.url).put_world(WORLD)
        project = Project(tmp_path, running.url)
        project.write("reconciler.yaml", PROJECT)
        project.write("devices/all.yaml", MANIFEST)
        assert project.run("plan").exit == 0
        ran = project.run("drift", "--detailed-exitcode")
    assert (0, "") == (ran.exit, ran.err)
    assert "No drift: the state holds no device, so there is nothing to compare.\n" == ran.out


def reported(kind: str, **payload: object) -> str:
    """Return a webhook's body as a line."""
    invoker = {"type": "client", "id": "4", "name": "Jane Doe", "email": "jane.doe@example.com"}
    event = {"timestamp": "2026-11-30T10:00:00Z", "payload": {"invoker": invoker, "source": "API"}}
    return json.dumps({**event, "type": kind, "payload": {**event["payload"], **payload}}) + "\n"


def test_events_say_which_devices_to_look_at_and_who_did_it(applied: Project) -> None:
    """Only those are read; of who did it the sort is said, and never the name."""
    behind_our_back(applied.url, "one", {"owner": 2})
    behind_our_back(applied.url, "two", {"additionalData": {"shift": "day"}})
    applied.write(
        "events.jsonl",
        reported("MOBILE_APP_PERSONALIZE", pushRegId="one", appCode="courier-app-code")
        + reported("MOBILE_APP_UNINSTALL", pushRegId="stranger")
        + "no event\n",
    )
    before = len(Sandbox(applied.url).calls()["calls"])
    ran = applied.run("drift", "--events", "events.jsonl", "--detailed-exitcode")

    assert 2 == ran.exit
    assert "personalized by a client (API), 2026-11-30T10:00:00Z\n" in ran.out
    assert "two" not in ran.out
    assert "Drift: 1 of 1 device." in ran.out
    assert "Read 2 events of 1 device that the state knows; 1 of them of no such device." in ran.err
    assert "1 line of the events cannot be understood" in ran.err
    assert not any(private in ran.out + ran.err for private in ("Jane", "jane", "external-"))
    calls = Sandbox(applied.url).calls()["calls"][before:]
    assert [] == [call["path"] for call in calls if call["path"].endswith(("/two", "/three"))]


def test_a_merged_person_is_found_by_the_applied_owner(applied: Project) -> None:
    """The event names identities, of which the state has digests."""
    behind_our_back(applied.url, "one", {"owner": 2})
    person = {"id": "1", "externalId": "external-ana", "firstName": "Ana"}
    applied.write("events.jsonl", reported("PERSON_MERGED", person=person))
    ran = applied.run("drift", "--events", "events.jsonl", "--format", "json")

    (moved,) = ran.json()["devices"]
    (event,) = moved["events"]
    assert ("one", "merged", "client") == (moved["device"], event["kind"], event["invoker"])
    Draft202012Validator(SCHEMA).validate(ran.json())
    shown = applied.run("drift", "--events", "events.jsonl", "--format", "markdown").out
    assert "its person was merged by a client (API)" in shown


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "No drift"), ("nonsense\n", "no line of it is an event"), (None, "cannot be read")],
)
def test_a_file_of_no_events(applied: Project, text: str | None, message: str) -> None:
    """Empty: there is nothing to look at; another file, or none, is an error that says so."""
    if text is not None:
        applied.write("events.jsonl", text)
    ran = applied.run("drift", "--events", "events.jsonl")

    assert message in ran.out + ran.err
    assert ran.exit == (0 if text == "" else 1)
