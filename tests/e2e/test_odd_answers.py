"""One odd registration stops nobody: each field, missing and of every type, ours and a stranger's.

In one world stand as many oddities as there are values of one field, so that each has to be told
from the others.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

import reconciler
from tests.stub.odd import OddWorld, Raw, serve

from .harness import Project

SECRET: Final = "odd-value"
MISSING: Final = object()
VALUES: Final[dict[str, object]] = {
    "missing": MISSING,
    "null": None,
    "number": Raw("7.5"),
    "text": SECRET,
    "list": [[SECRET]],
    "object": {"odd": SECRET},
    "huge number": Raw("9" * 400),
    "infinity": Raw("1e999"),
    "huge text": SECRET + "x" * 100_000,
    "half of a character": Raw(f'"{SECRET}\\ud800"'),
}
# Where each field stands in a registration, and in a person.
REGISTRATION: Final[dict[str, tuple[str, ...]]] = {
    "applicationId": ("applicationId",),
    "isPrimary": ("isPrimary",),
    "systemData": ("systemData",),
    "registrationEnabled": ("systemData", "registrationEnabled"),
    "deviceModel": ("systemData", "deviceModel"),
    "cloudType": ("systemData", "cloudType"),
    "additionalData": ("additionalData",),
    "a key": ("additionalData", "visits"),
    "a declared key": ("additionalData", "fleet"),
}
PERSON: Final[dict[str, tuple[str, ...]]] = {
    "id": ("id",),
    "type": ("type",),
    "externalId": ("externalId",),
    "firstName": ("firstName",),
    "birthDate": ("birthDate",),
    "tags": ("tags",),
    "customAttributes": ("customAttributes",),
    "contactInformation": ("contactInformation",),
    "phone": ("contactInformation", "phone"),
    "email": ("contactInformation", "email"),
    "push": ("contactInformation", "push"),
}
# What an entry that is one of ours rests on: its owner and one key of additionalData.
RESTS_ON: Final = {"applicationId", "additionalData", "id", "externalId", "contactInformation"}
PROJECT: Final = """\
apiVersion: reconciler/v1
kind: Project
api:
  baseUrl: ${SANDBOX_URL}
  auth: {apiKey: "${SANDBOX_KEY}"}
  limits: {get: 5000, update: 5000, persons: 5000, match: 5000, applications: 5000}
applications:
  courier: {appCode: any}
manifests: [devices/*.yaml]
"""


def put(document: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    """Put a value at a place of an answer, or take it away."""
    *above, name = path
    for step in above:
        document = document[step]
    if value is MISSING:
        document.pop(name, None)
    else:
        document[name] = value


def odd_world(field: str, *, ours: bool) -> tuple[OddWorld, list[str]]:
    """Return a world with an oddity for each value, and the ids of the declared devices; `regular`
    is one that nothing is odd about."""
    world, declared = OddWorld(), ["regular"]
    world.add(1, "c-regular", "regular")
    for index, value in enumerate(VALUES.values()):
        number = 10 + 2 * index
        odd, other = f"odd-{index}", f"declared-{index}"
        world.add(number, f"c-{odd}", odd)
        world.add(number + 1, f"c-{other}", other)
        if field in REGISTRATION:
            put(world.registrations[odd], REGISTRATION[field], value)
        else:
            put(world.people[number], PERSON[field], value)
        declared += [odd] if ours else [other]
    return world, declared


@pytest.fixture
def project(tmp_path: Path) -> Callable[[str, list[str]], reconciler.Project]:
    def opened(url: str, declared: list[str]) -> reconciler.Project:
        written = Project(tmp_path, url)
        written.write("reconciler.yaml", PROJECT)
        devices = {
            id_: {"owner": {"externalId": f"c-{id_}"}, "additionalData": {"fleet": "split"}}
            for id_ in declared
        }
        document = {"apiVersion": "reconciler/v1", "kind": "Devices", "application": "courier"}
        written.write("devices/all.yaml", json.dumps({**document, "devices": devices}))
        return reconciler.open(tmp_path, environ=written.environment())

    return opened


def planned(plan: reconciler.Plan) -> tuple[set[str], set[str], dict[str, Any]]:
    """Return the devices whose key is set, those that are named as unreadable, and the document."""
    document = json.loads(plan.to_json())
    updated = {
        change["device"]
        for change in document["changes"]
        if "update" in change["actions"]
        and [field["path"] for field in change["fields"]] == ["additionalData.fleet"]
    }
    unreadable = {one["device"] for one in document["warnings"] if one["code"] == "unreadable"}
    actions = {
        change["device"] for change in document["changes"] if change["actions"] == ["unreadable"]
    }
    assert actions == unreadable
    return updated, unreadable, document


@pytest.mark.parametrize("read", ["points", "sweep"])
@pytest.mark.parametrize("field", [*REGISTRATION, *PERSON])
def test_what_is_odd_of_strangers_stops_and_tells_nobody(
    field: str, read: str, project: Callable[[str, list[str]], reconciler.Project]
) -> None:
    """Every declared device is planned as if they were not there."""
    world, declared = odd_world(field, ours=False)
    with serve(world) as url:
        plan = project(url, declared).plan(read=read)
    updated, unreadable, document = planned(plan)

    assert (set(declared), set(), []) == (updated, unreadable, document["errors"])
    assert SECRET not in json.dumps(document)


@pytest.mark.parametrize("read", ["points", "sweep"])
@pytest.mark.parametrize("field", [*REGISTRATION, *PERSON])
def test_what_is_odd_of_ours_is_named_or_does_not_matter(
    field: str, read: str, project: Callable[[str, list[str]], reconciler.Project]
) -> None:
    """A device is left alone only where what is declared rests on the odd part; never its value is
    shown, but where it is that of a declared key, or the model of the device."""
    world, declared = odd_world(field, ours=True)
    with serve(world) as url:
        plan = project(url, declared).plan(read=read)
    updated, _, document = planned(plan)

    assert "regular" in updated
    if field not in RESTS_ON:
        assert set(declared) == updated
    changed = {change["device"] for change in document["changes"]}
    erroneous = {device for error in document["errors"] for device in error["devices"]}
    assert set(declared) == changed | erroneous, "each is planned, or named"
    for warning in document["warnings"]:
        assert SECRET not in warning["message"]
    if field not in ("a declared key", "deviceModel"):
        assert SECRET not in json.dumps(document)


@pytest.mark.parametrize("field", [*REGISTRATION, *PERSON])
def test_drift_and_import_go_on(
    field: str, tmp_path: Path, project: Callable[[str, list[str]], reconciler.Project]
) -> None:
    """After an apply of a world without oddities, and of everything that lives."""
    world, declared = odd_world("tags", ours=True)
    for person in world.people.values():
        person["tags"] = []
    odd, _ = odd_world(field, ours=True)
    with serve(world) as url:
        opened = project(url, declared)
        report = opened.apply()
        assert report.complete
        world.people, world.registrations = odd.people, odd.registrations
        for id_ in declared:
            data = world.registrations[id_].get("additionalData")
            if isinstance(data, dict) and data.get("fleet") == "zagreb":
                data["fleet"] = "split"
        document = opened.drift()
        found = {device.device: device.found for device in document.devices}
        assert "regular" not in found
        if field not in RESTS_ON | {"a declared key"}:
            assert found == {}
        (tmp_path / "devices" / "all.yaml").unlink()
        (tmp_path / "devices" / "none.yaml").write_text(
            '{"apiVersion": "reconciler/v1", "kind": "Devices", "application": "courier", '
            '"devices": {"elsewhere": {}}}'
        )
        imported = reconciler.open(tmp_path, environ=opened.environ).import_registrations(
            "courier", tmp_path / "devices"
        )
        assert any("regular" in manifest.text for manifest in imported.manifests)


DECLARED: Final[dict[str, dict[str, object]]] = {
    "own": {"owner": {"externalId": "c-own"}, "additionalData": {"fleet": "split"}},
    "flag": {"isPrimary": True},
    "data": {"additionalData": {"fleet": "split"}},
}
# What a device without an owner rests on.
FLAG_RESTS_ON: Final = {"applicationId", "isPrimary"}
DATA_RESTS_ON: Final = {"additionalData"}


def siblings_world(field: str, odd: str, value: object) -> OddWorld:
    """Return a world in which each of three declared devices has an undeclared sibling, and one
    registration, or the person who owns it, is odd."""
    world = OddWorld()
    for number, device in enumerate(DECLARED, 1):
        world.add(number, f"c-{device}", device, f"sibling-of-{device}")
    world.add(4, "c-other", "other")
    world.registrations["sibling-of-flag"]["isPrimary"] = True
    if field in REGISTRATION:
        put(world.registrations[odd], REGISTRATION[field], value)
    else:
        put(world.people[world.owners[odd]], PERSON[field], value)
    return world


def write_declared(root: Path, url: str, *ids: str) -> reconciler.Project:
    """Write a project of these devices; of all three if none is named."""
    written = Project(root, url)
    written.write("reconciler.yaml", PROJECT)
    devices = {id_: DECLARED[id_] for id_ in ids or DECLARED}
    document = {"apiVersion": "reconciler/v1", "kind": "Devices", "application": "courier"}
    written.write("devices/all.yaml", json.dumps({**document, "devices": devices}))
    return reconciler.open(root, environ=written.environment())


def settled(plan: reconciler.Plan) -> dict[str, str]:
    """Return what a plan does to each device: its actions, or the code of its error."""
    document = json.loads(plan.to_json())
    assert SECRET not in json.dumps(document)
    actions = {change["device"]: " ".join(change["actions"]) for change in document["changes"]}
    return actions | {
        device: error["code"] for error in document["errors"] for device in error["devices"]
    }


@pytest.mark.parametrize("read", ["points", "sweep"])
@pytest.mark.parametrize("field", sorted(REGISTRATION.keys() - {"a declared key"}))
def test_an_odd_sibling_or_stranger_leaves_every_plan_as_it_was(
    field: str, read: str, tmp_path: Path
) -> None:
    """Whether a device declares its owner, its flag, or its data: also where it takes the flag from
    a sibling whose flag nobody can read."""
    as_ever = dict.fromkeys(DECLARED, "update")
    for odd in ("sibling-of-own", "sibling-of-flag", "sibling-of-data", "other"):
        for name in ("missing", "list", "half of a character"):
            with serve(siblings_world(field, odd, VALUES[name])) as url:
                plan = write_declared(tmp_path, url).plan(read=read)
            assert as_ever == settled(plan), (odd, name)


@pytest.mark.parametrize("read", ["points", "sweep"])
@pytest.mark.parametrize(
    "field", sorted({*REGISTRATION} - {"a declared key", "deviceModel", "cloudType"})
)
def test_each_device_rests_on_what_it_declares_and_on_nothing_else(
    field: str, read: str, tmp_path: Path
) -> None:
    """A device that declares data only needs neither application nor flag, and so on."""
    for odd, rests_on in (("flag", FLAG_RESTS_ON), ("data", DATA_RESTS_ON)):
        with serve(siblings_world(field, odd, [[SECRET]])) as url:
            plan = write_declared(tmp_path, url).plan(read=read)
        expected = "unreadable" if field in rests_on else "update"
        assert {**dict.fromkeys(DECLARED, "update"), odd: expected} == settled(plan)


def test_what_is_applied_without_an_application_id_teaches_the_state_none(tmp_path: Path) -> None:
    """The next sweep would look for an application that there is not."""
    world = siblings_world("applicationId", "data", MISSING)
    with serve(world) as url:
        project = write_declared(tmp_path, url, "data")
        report = project.apply()
        assert report.complete, report
        assert {} == settled(project.plan(read="sweep"))
    assert "split" == world.registrations["data"]["additionalData"]["fleet"]
    (state,) = tmp_path.rglob("state.db")
    with closing(sqlite3.connect(state)) as connection:
        assert [("data",)] == connection.execute("SELECT id FROM devices").fetchall()
        assert [] == connection.execute("SELECT * FROM applications").fetchall()


def test_half_a_character_on_a_page_is_written_nowhere(tmp_path: Path) -> None:
    """Nor is what stands in for it while the page is read: an import leaves the key out."""
    odd = Raw(f'"{SECRET}\\ud800"')
    world = siblings_world("a key", "sibling-of-own", odd)
    put(world.registrations["sibling-of-own"], ("systemData", "deviceModel"), odd)
    with serve(world) as url:
        (tmp_path / "devices").mkdir()
        (tmp_path / "reconciler.yaml").write_text(PROJECT, "utf-8")
        environ = Project(tmp_path, url).environment()
        (tmp_path / "devices" / "none.yaml").write_text(
            '{"apiVersion": "reconciler/v1", "kind": "Devices", "application": "courier", '
            '"devices": {"elsewhere": {}}}'
        )
        imported = reconciler.open(tmp_path, environ=environ).import_registrations(
            "courier", tmp_path / "devices"
        )
    text = "".join(manifest.text for manifest in imported.manifests)
    assert "sibling-of-own" in text
    assert SECRET not in text


def sent(world: OddWorld, device: str) -> str:
    """Return the one update that a device got, as it came over the wire."""
    (body,) = [body for id_, body in world.patches if id_ == device]
    return body.decode()


def test_what_nobody_declares_is_carried_as_it_came(
    project: Callable[[str, list[str]], reconciler.Project],
) -> None:
    """A list, an object, a number beyond all, half of a character: the very text goes out again."""
    world, declared = odd_world("a key", ours=True)
    texts = {f"odd-{index}": value for index, value in enumerate(VALUES.values())}
    with serve(world) as url:
        report = project(url, declared).apply()

    assert report.complete, report
    for device, value in texts.items():
        body = sent(world, device)
        if value is MISSING or value is None:
            assert "visits" not in body
        elif isinstance(value, Raw):
            assert f'"visits":{value.text}' in body.replace(": ", ":")
        else:
            assert value == json.loads(body)["additionalData"]["visits"]


@pytest.mark.parametrize("key", ["\\ud800", "a\\udc00b", "\\u0000", "ключ", "\\ud83d\\ude00"])
def test_an_odd_key_is_carried(
    key: str, project: Callable[[str, list[str]], reconciler.Project]
) -> None:
    """Half of a character in the name of a key too."""
    world = OddWorld()
    world.add(1, "c-regular", "regular")
    world.registrations["regular"]["additionalData"] = Raw(f'{{"fleet":"zagreb","{key}":[1]}}')
    with serve(world) as url:
        opened = project(url, ["regular"])
        opened.plan(read="sweep")
        opened.apply()

    assert {"fleet": "split", **json.loads(f'{{"{key}": [1]}}')} == json.loads(
        sent(world, "regular")
    )["additionalData"]


@pytest.mark.parametrize(
    "page",
    [
        {"persons": None},
        {"persons": Raw("7")},
        {"persons": {"a": 1}},
        {"persons": "text"},
        {"persons": Raw("[}")},
    ],
)
def test_only_what_is_no_page_at_all_ends_a_sweep(
    page: dict[str, object], project: Callable[[str, list[str]], reconciler.Project]
) -> None:
    """Then there is nothing to be read; the registrations by point are read all the same."""
    world = OddWorld(page=page)
    world.add(1, "c-regular", "regular")
    with serve(world) as url:
        opened = project(url, ["regular"])
        with pytest.raises(reconciler.ServiceError):
            opened.plan(read="sweep", timeout=60)
        assert {"regular"} == planned(opened.plan(read="points"))[0]


@pytest.mark.parametrize("people", [[None], [Raw("7")], [SECRET], [[]], [{}], [Raw('"\\ud800"')]])
@pytest.mark.parametrize("count", [MISSING, None, Raw("-1"), Raw("1e999"), "2", [], Raw("true")])
def test_who_is_nobody_on_a_page_is_passed_over(
    people: list[object],
    count: object,
    project: Callable[[str, list[str]], reconciler.Project],
) -> None:
    """Whatever stands among the people of a page, and whatever counts them."""
    world = OddWorld()
    world.add(1, "c-regular", "regular")
    page: dict[str, object] = {"persons": [*people, world.person(1), *people]}
    if count is not MISSING:
        page["totalCount"] = count
    world.page = page
    with serve(world) as url:
        plan = project(url, ["regular"]).plan(read="sweep")

    assert {"regular"} == planned(plan)[0]


def test_where_no_answer_can_be_read_it_is_not_the_service(
    project: Callable[[str, list[str]], reconciler.Project],
) -> None:
    """A page of a login in the place of every answer is an error of the run."""
    world = OddWorld()
    world.add(1, "c-regular", "regular")
    world.registrations["regular"] = Raw("<html>Sign in</html>")  # type: ignore[assignment]
    with serve(world) as url, pytest.raises(reconciler.ServiceError, match="HTML"):
        project(url, ["regular"]).plan(read="points", timeout=60)


def test_people_whom_nobody_can_name_are_not_taken_for_one(tmp_path: Path) -> None:
    """Two devices that become primary, and whose owners answer nonsense: two are withheld, for
    that; and not for being one person's."""
    world = OddWorld()
    for number, device in enumerate(("one", "two", "regular"), 1):
        world.add(number, f"c-{device}", device)
    world.people[1] = world.people[2] = {"id": None}
    with serve(world) as url:
        written = Project(tmp_path, url)
        written.write("reconciler.yaml", PROJECT)
        document = {"apiVersion": "reconciler/v1", "kind": "Devices", "application": "courier"}
        devices = {device: {"isPrimary": True} for device in ("one", "two", "regular")}
        written.write("devices/all.yaml", json.dumps({**document, "devices": devices}))
        opened = reconciler.open(tmp_path, environ=written.environment())
        plan = json.loads(opened.plan(read="points").to_json())

    assert [] == plan["errors"]
    actions = {change["device"]: change["actions"] for change in plan["changes"]}
    assert actions == {"one": ["unreadable"], "two": ["unreadable"], "regular": ["update"]}
