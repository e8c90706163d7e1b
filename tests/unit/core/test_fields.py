"""Every field of the table is known everywhere; whoever forgets one place is told here.

The tests go over `FIELDS` and over the attributes of the states themselves, so that a new field,
or a new attribute of a declared device, is covered without a line here.
"""

from __future__ import annotations

import json
import re
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from reconciler.api import decode, people
from reconciler.apply.staleness import Effects, moved, reached, subjects
from reconciler.core.absent import ABSENT
from reconciler.core.device import Desired, DesiredDevice, Lifecycle, OnRemove, Owner
from reconciler.core.fields import (
    ADDITIONAL_DATA,
    FIELD_BY_PATH,
    FIELDS,
    OWNER,
    SYSTEM_DATA,
    Field,
    Reason,
    Risk,
    declared_fields,
    field_order,
    live_value,
    update_body,
    updated_fields,
)
from reconciler.core.identity import Identity
from reconciler.core.live import Live, LiveRegistration
from reconciler.core.record import record_entry
from reconciler.core.secret import Secret
from reconciler.core.source import Source
from reconciler.core.value_limits import VALUE
from reconciler.diff.changes import diff
from reconciler.diff.compare import compare
from reconciler.diff.drift import Side, drift_of
from reconciler.diff.previous import Previous, changed_since
from reconciler.live.sweep_result import Sighting
from reconciler.manifest.import_entries import Undeclared, make_entries
from reconciler.manifest.layout.key_order import Orders
from reconciler.manifest.layout.redacted_diff import redacted_diff
from reconciler.manifest.messages.schema_errors import READ_ONLY
from reconciler.manifest.writing import ManifestDirectory
from reconciler.manifest.writing import make_manifests as written
from reconciler.plan.calls import patchable_paths
from reconciler.plan.device_plan import plan_device
from reconciler.plan.document import encode
from reconciler.plan.drift import Made, drift_document
from reconciler.plan.fingerprints import declaration_digest, observed_digest, observed_paths
from reconciler.plan.model import Plan, ReadCounts, Reads
from reconciler.plan.people import DeclaredPeople
from reconciler.plan.proof import Proof, prove
from reconciler.plan.replay import live_world
from reconciler.platform import operations
from reconciler.platform.answers import person_json
from reconciler.platform.assumptions import PAGE_PUSH, PAGES_WITHOUT_FLAGS, Readings, readings
from reconciler.platform.step import step
from reconciler.platform.world import Person, Registration, World
from reconciler.platform.worldfile import decode_world, encode_world
from reconciler.render import calls as call_list
from reconciler.render import drift as drift_text
from reconciler.render import markdown, text
from reconciler.render import record as record_text
from reconciler.render.html import page
from reconciler.render.spans import plain
from reconciler.render.view import view
from reconciler.sandbox.external_change import patch_registration
from reconciler.state import record_codec
from tests.changed import replace
from tests.fleet import (
    DIGESTER,
    Service,
    desired,
    device,
    external,
    owner,
    person,
    project,
    record,
    registration,
)
from tests.fleet import plan as planned
from tests.unit.apply.model import Run
from tests.unit.apply.model import person as world_person
from tests.unit.apply.model import registration as world_registration
from tests.unit.apply.model import world as apply_world
from tests.unit.manifest.reading import HEAD, PROJECT_TEXT, ROOT, manifests
from tests.unit.manifest.reading import desired as read
from tests.unit.manifest.reading import project as read_project

# A live value and another one that is declared, for each type that a field can have.
VALUES: Final[Mapping[type, tuple[Any, Any]]] = {bool: (True, False), str: ("one text", "another")}
APP: Final = "APP-COURIER"
EVERY_FIELD = pytest.mark.parametrize("field", FIELDS, ids=lambda field: str(field.path))


def was(field: Field) -> Any:
    return VALUES[field.type][0]


def wanted(field: Field) -> Any:
    return VALUES[field.type][1]


def yaml(value: object) -> str:
    return json.dumps(value)


def live_with(field: Field, value: Any = None) -> LiveRegistration:
    return registration("a", **{field.attribute: was(field) if value is None else value})


def declared_with(field: Field, value: Any = None, **more: Any) -> DesiredDevice:
    return device("a", **{field.attribute: wanted(field) if value is None else value}, **more)


def service(field: Field) -> Service:
    return Service(person(1, external("ana"), owns=[live_with(field)]))


def plan_of(field: Field) -> Plan:
    return planned(desired(declared_with(field)), service(field))


def model_world(field: Field, value: Any = None) -> World:
    shown = {field.attribute: was(field) if value is None else value}
    return World.of([Person(1, frozenset({external("ana")}))], [at_service(**shown)], {"c": APP})


def at_service(**values: Any) -> Registration:
    return Registration("a", APP, 1, **values)


# The states that hold a field


@pytest.mark.parametrize(
    ("holder", "others"),
    [
        (
            DesiredDevice,
            {"id", "application", "source", "label", "owner", "additional_data", "lifecycle"},
        ),
        (
            LiveRegistration,
            {"id", "application_id", "additional_data", "model", "unreadable", "is_web"},
        ),
        (Registration, {"id", "application_id", "owner", "additional_data", "system_data"}),
    ],
)
def test_the_records_have_the_fields_of_the_table(
    holder: type[msgspec.Struct], others: set[str]
) -> None:
    """Declared, live and at the service: the same attributes, of the type that the table says."""
    types = typing.get_type_hints(holder)

    assert {field.attribute for field in FIELDS} == types.keys() - others
    for field in FIELDS:
        possible = set(typing.get_args(types[field.attribute]) or (types[field.attribute],))
        nothing = {type(None)} if field.at_rest is None and holder is not DesiredDevice else set()
        unsaid = set() if holder is Registration else {typing.Literal[ABSENT]}
        assert {field.type, *nothing, *unsaid} == possible, field.path


def test_the_table_is_sound() -> None:
    """One name and one place for each field, none of which a device cannot write."""
    names = [(field.path, field.attribute, field.wire) for field in FIELDS]

    assert [len(FIELDS)] * 3 == [len(set(column)) for column in zip(*names, strict=True)]
    assert set() == {field.wire[-1] for field in FIELDS} & READ_ONLY
    assert all(field.wire[:-1] in ((), (SYSTEM_DATA,)) for field in FIELDS)
    assert set(VALUES) >= {field.type for field in FIELDS}


def test_the_order_of_fields() -> None:
    """Owner, the table, then keys by name."""
    paths = ["additionalData.a", "additionalData.b", *reversed([*FIELD_BY_PATH]), OWNER]

    assert [OWNER, *FIELD_BY_PATH, "additionalData.a", "additionalData.b"] == sorted(
        paths, key=field_order
    )


# Whatever a declaration says, somebody notices when it says something else


ANA: Final = owner("ana", attributes=Secret({"firstName": "Ana"}), keep_as_lead=True)
RULES: Final = Lifecycle(protect=True, ignore=frozenset({"owner"}), on_remove=OnRemove.RELEASE)
FULL: Final = device(
    "a",
    owner=ANA,
    data={"shift": "night"},
    lifecycle=RULES,
    label="Phone",
    **{field.attribute: wanted(field) for field in FIELDS},
)
# Another value of what is no field of the table; `owner` and `lifecycle` attribute by attribute.
OTHERWISE: Final[Mapping[type, Mapping[str, Any]]] = {
    DesiredDevice: {
        "id": "b",
        "application": "shop",
        "source": Source("devices/st.yaml", 1, 1),
        "label": "Tablet",
        "additional_data": {"shift": "day"},
        **{field.attribute: was(field) for field in FIELDS},
    },
    Owner: {
        "pointer": "devices/zg.yaml#people.other",
        "identity": Identity.of(external("other")),
        "attributes": Secret({"firstName": "Anna"}),
        "keep_as_lead": False,
        "source": Source("devices/st.yaml", 1, 1),
    },
    Lifecycle: {"protect": False, "ignore": frozenset(), "on_remove": OnRemove.DEPERSONALIZE},
}
WHOLE: Final = {"owner": Owner, "lifecycle": Lifecycle}


def attributes() -> Iterator[str]:
    """Yield the attributes of a declared device, and those of its owner and rules."""
    for name in DesiredDevice.__struct_fields__:
        if name not in WHOLE:
            yield name
    yield from (f"owner.{name}" for name in Owner.__struct_fields__)
    yield from (f"lifecycle.{name}" for name in Lifecycle.__dataclass_fields__)


def changed(name: str) -> DesiredDevice:
    """Return the full device with one attribute changed; KeyError for one that is not known."""
    whole, _, part = name.rpartition(".")
    if not whole:
        return replace(FULL, **{part: OTHERWISE[DesiredDevice][part]})
    held = getattr(FULL, whole)
    return replace(FULL, **{whole: replace(held, **{part: OTHERWISE[type(held)][part]})})


# Who need not notice what: words for people, and places.
SILENT: Final = {"source", "label", "owner.source"}
UNNOTICED: Final[Mapping[str, set[str]]] = {
    "digest": SILENT,
    # Devices are matched by their id; the name of a person is no matter of the declaration.
    "previous": SILENT | {"id", "owner.pointer"},
    # Only what was applied, and what says how the device may leave.
    "record": SILENT
    | {"owner.pointer", "owner.attributes", "owner.keep_as_lead"}
    | {"lifecycle.ignore"},
}


def declarations_differ(one: DesiredDevice, other: DesiredDevice) -> bool:
    now = Desired({"a": replace(other, source=replace(other.source, file="other.yaml"))})
    return "a" in changed_since(Previous(Desired({"a": one})), now)


NOTICES: Final = {
    "digest": lambda one, two: (
        declaration_digest(one, DIGESTER) != declaration_digest(two, DIGESTER)
    ),
    "previous": declarations_differ,
    "record": lambda one, two: record_entry(one, DIGESTER) != record_entry(two, DIGESTER),
}


@pytest.mark.parametrize("name", list(attributes()))
@pytest.mark.parametrize("who", NOTICES)
def test_another_declaration_is_noticed(name: str, who: str) -> None:
    """The digest of the declaration, the comparison with an earlier commit, the state's entry."""
    assert NOTICES[who](FULL, changed(name)) is (name not in UNNOTICED[who]), (
        f"{who}: {name}; if this attribute has to be kept apart, say so in UNNOTICED"
    )


@EVERY_FIELD
def test_a_field_that_is_left_open_is_another_declaration(field: Field) -> None:
    """Not managed is not the same as any value."""
    opened = replace(FULL, **{field.attribute: ABSENT})

    assert [True] * len(NOTICES) == [differs(FULL, opened) for differs in NOTICES.values()]
    assert field.path in declared_fields(FULL)
    assert field.path not in declared_fields(opened)


# Plan


@EVERY_FIELD
def test_what_a_plan_rests_on(field: Field) -> None:
    """An update may set it, and its live value is part of the fingerprint, unless it is ignored."""
    one = declared_with(field)
    ignoring = declared_with(field, lifecycle=Lifecycle(ignore=frozenset({field.path})))
    paths = observed_paths(one, ())
    prints = {
        observed_digest(paths, live_with(field, value), None, DIGESTER)
        for value in VALUES[field.type]
    }

    assert {field.path} == patchable_paths(one) == set(paths)
    assert 2 == len(prints)
    assert frozenset() == patchable_paths(ignoring) == frozenset(observed_paths(ignoring, ()))


@EVERY_FIELD
def test_the_change_and_the_call_of_a_plan(field: Field) -> None:
    """One field changes, by one call that sends it where the service expects it."""
    plan = plan_of(field)
    [change], [call] = plan.changes, plan.calls
    body: object = wanted(field)
    for name in reversed(field.wire):
        body = {name: body}

    assert [(field.path, was(field), wanted(field), Reason.DECLARED)] == [
        (one.path, one.before, one.after, one.reason) for one in change.fields
    ]
    assert body == call.body == update_body({field.path: wanted(field)})
    assert [(field.path, wanted(field))] == list(updated_fields(call.body or {}))
    assert ((field.risk,) if field.is_risky(wanted(field)) else ()) == change.risks


@EVERY_FIELD
def test_what_is_as_declared_needs_no_call(field: Field) -> None:
    """The quick comparison and the whole one agree."""
    same, other = declared_with(field, was(field)), declared_with(field)
    left = declared_with(field, was(field), data={"gone": None})
    for one in (same, left):
        assert () == compare(one, live_with(field), None, DIGESTER, project()).changed
    differing = compare(other, live_with(field), None, DIGESTER, project()).changed
    assert [field.path] == [one.path for one in differing]


@EVERY_FIELD
def test_a_record_tells_who_moved(field: Field) -> None:
    """The files, others or both; what was applied is known where there are two values only."""
    before, now = was(field), wanted(field)
    applied = record(declared_with(field, before))
    found = {
        (declared, live): drift_of(
            list(applied.devices.values()),
            desired(declared_with(field, declared)),
            applied,
            Live({"a": live_with(field, live)}),
        )[0].fields
        for declared in (before, now)
        for live in (before, now)
    }
    sides = {values: [(one.path, one.side) for one in fields] for values, fields in found.items()}

    assert {
        (before, before): [],
        (before, now): [(field.path, Side.SERVICE)],
        (now, before): [(field.path, Side.FILES)],
        (now, now): [(field.path, Side.BOTH)],
    } == sides
    [both] = found[now, now]
    assert (before, True) == (both.applied, both.known) or (None, False, ()) == (
        both.applied,
        both.known,
        field.possible_values,
    )


@EVERY_FIELD
def test_drift_that_is_reported_is_left(field: Field) -> None:
    """`onDrift` holds for it, and no call sets what is left."""
    said, live = declared_with(field), service(field)
    mended = planned(desired(said), live, record(said))
    reported = planned(desired(said), live, record(said), project(on_drift={field.path: "report"}))

    assert [Reason.DRIFT] == [one.reason for change in mended.changes for one in change.fields]
    assert ((), [field.path]) == (
        reported.calls,
        [one.path for drift in reported.drift for one in drift.fields],
    )


@EVERY_FIELD
@pytest.mark.parametrize("fault", ["forgotten", "touched"])
def test_the_judge_looks_at_it(field: Field, fault: str) -> None:
    """A call that does not set it, and one that sets it though nobody declares it."""
    declared = desired(declared_with(field) if fault == "forgotten" else device("a", data={"k": 1}))
    recorded, of = record(), project()
    live = service(field).read(declared, recorded, of)
    people_, found = DeclaredPeople(declared), diff(declared, recorded, live, of)
    group = [plan_device(one, people_, DIGESTER, {}) for one in found.differing]
    calls = [call for work in group for call in work.calls]
    body = {"additionalData": {"k": 1}} | update_body({field.path: wanted(field)})
    wrong = {} if fault == "forgotten" else body
    faulty = [msgspec.structs.replace(call, body=wrong) for call in calls]

    assert prove(Proof(group, calls, (), declared, live, people_, {})) is None
    refused = prove(Proof(group, faulty, (), declared, live, people_, {}))
    assert refused is not None
    assert field.path in refused.message


@EVERY_FIELD
def test_the_judge_starts_from_what_is_live(field: Field) -> None:
    """The world that a proof replays in has the value that was read."""
    declared = desired(declared_with(field))
    live = service(field).read(declared, record(), project())
    found = diff(declared, record(), live, project())
    group = [plan_device(one, DeclaredPeople(declared), DIGESTER, {}) for one in found.differing]
    shown = live_world(group, live).registrations["a"]

    assert was(field) == getattr(shown, field.attribute)


# Apply


@EVERY_FIELD
def test_a_field_that_moved_since_the_plan_is_stale(field: Field) -> None:
    """A change of it is seen and named before the call, and that it is reached as well."""
    declared = desired(declared_with(field))
    plan = plan_of(field)
    subject, [call] = subjects(plan, declared)["a"], plan.calls
    as_seen, other = live_with(field), live_with(field, wanted(field))

    def stale(live: LiveRegistration) -> str | None:
        return moved(subject, live, None, Effects(), DIGESTER)

    assert (None, field.path) == (stale(as_seen), stale(other))
    assert (False, True) == (
        reached(call, declared.devices["a"], as_seen, None),
        reached(call, declared.devices["a"], other, None),
    )


@EVERY_FIELD
def test_a_field_becomes_as_declared(field: Field) -> None:
    """From files to the service and into the state; then nothing is left to do."""
    start = apply_world(
        world_person(1, external("ana")),
        world_registration("a", 1, **{field.attribute: was(field)}),
    )
    run = Run(desired(declared_with(field)), start)
    report = run.carry_out()

    assert report.complete
    assert wanted(field) == getattr(run.door.world.registrations["a"], field.attribute)
    assert [field.path] == list(run.state.record.devices["a"].fields)
    assert [] == run.left()


@EVERY_FIELD
def test_the_state_keeps_it(field: Field) -> None:
    """The document of the state takes the entry and gives it back."""
    kept = record(declared_with(field))

    assert kept == record_codec.decode(record_codec.encode(kept), "state")


# The service: its model, its answers, its sandbox


def model_readings(**assume: str) -> Readings:
    return readings({name.replace("_", "-"): value for name, value in assume.items()})


@EVERY_FIELD
def test_the_service_takes_and_shows_it(field: Field) -> None:
    """PATCH sets it and shows it, GET shows it, and both are read back."""
    call = operations.update("a", "c", update_body({field.path: wanted(field)}))
    world, answer = step(model_world(field), call, model_readings())
    _, shown = step(world, operations.get("a", "c"), model_readings())

    assert 200 == answer.status == shown.status
    assert answer.body == shown.body
    assert wanted(field) == field.read(typing.cast("Mapping[str, object]", shown.body))
    live = decode.decode_registration(msgspec.json.encode(shown.body))
    assert wanted(field) == live_value(field.path, live)


@EVERY_FIELD
def test_the_service_refuses_another_type(field: Field) -> None:
    """A number for it is no good, nor a text that is too long; nothing changes."""
    start = model_world(field)
    for value in (7, None, *(["x" * (VALUE.longest + 1)] if field.type is str else ["true"])):
        body = update_body({field.path: value})
        world, answer = step(start, operations.update("a", "c", body), model_readings())
        assert (400, start) == (answer.status, world)


@EVERY_FIELD
def test_an_answer_without_it(field: Field) -> None:
    """What a point read leaves out is at rest; what a page leaves out too, if all pages show it."""
    bare: dict[str, object] = {"registrationId": "a", "applicationId": APP}
    for entry, told in ((bare, False), ({**bare, SYSTEM_DATA: {}}, field.page_says_text)):
        live = decode.decode_registration(msgspec.json.encode(entry))
        [owner_] = people.decode_people(
            msgspec.json.encode({"id": 1, "contactInformation": {"push": [entry]}})
        )
        on_page = getattr(owner_.registrations[0], field.attribute)

        assert field.at_rest == live_value(field.path, live)
        assert (field.at_rest if told else ABSENT) == on_page


@EVERY_FIELD
@pytest.mark.parametrize("pages", PAGE_PUSH.readings)
def test_a_page_shows_it(field: Field, pages: str) -> None:
    """What pages show is read; a sight that lacks it is not whole, and settled by a point read."""
    for value in VALUES[field.type]:
        world = model_world(field, value)
        shown = person_json(world, world.people[1], model_readings(page_push=pages))
        [owner_] = people.decode_people(msgspec.json.encode(shown))
        [entry] = owner_.registrations
        expected = value if pages not in PAGES_WITHOUT_FLAGS or field.page_says_text else ABSENT
        assert expected == getattr(entry, field.attribute)
        whole = {one.attribute: was(one) for one in FIELDS}
        known = replace(entry, **{**whole, field.attribute: expected, "additional_data": {}})
        assert Sighting(known, owner_).whole is (expected is not ABSENT)


@EVERY_FIELD
def test_the_file_of_a_world_keeps_it(field: Field) -> None:
    """It is written under its path and read back; another value makes another world."""
    worlds = [model_world(field, value) for value in VALUES[field.type]]
    kept = [decode_world(encode_world(world)) for world in worlds]
    resting = {} if field.type is bool else {field.path: wanted(field)}

    assert worlds == kept
    assert worlds[0] != worlds[1]
    texts = [json.loads(encode_world(world))["registrations"][0] for world in worlds]
    assert any(field.path in shown for shown in texts)
    assert resting.items() <= texts[1].items()


@EVERY_FIELD
def test_the_sandbox_lets_others_change_it(field: Field) -> None:
    """By its path, to a value of its type and to no other."""
    before = at_service(**{field.attribute: was(field)})

    after = patch_registration(before, {field.path: wanted(field)})

    assert at_service(**{field.attribute: wanted(field)}) == after
    with pytest.raises(ValueError, match=f"{field.path} cannot be changed to that"):
        patch_registration(before, {field.path: 7})


# Manifests


@EVERY_FIELD
def test_a_manifest_declares_it(field: Field) -> None:
    """In a device, by default, and over the default; left out it is not managed."""
    default, own = yaml(was(field)), yaml(wanted(field))
    devices = f"devices:\n  a: {{{field.path}: {own}}}\n  b: {{}}\n"
    bare = read(f=f"{HEAD}{devices}").devices
    merged = read(f=f"{HEAD}defaults: {{{field.path}: {default}}}\n{devices}").devices

    def said(devices: Mapping[str, DesiredDevice]) -> list[Any]:
        return [getattr(devices[id_], field.attribute) for id_ in "ab"]

    assert [wanted(field), ABSENT] == said(bare)
    assert [wanted(field), was(field)] == said(merged)


@EVERY_FIELD
def test_a_manifest_with_another_type_is_wrong(field: Field) -> None:
    """A number is neither a flag nor a text."""
    wrong = manifests(f=f"{HEAD}devices:\n  a: {{{field.path}: 7}}\n")

    assert ["E151"] == [one.code.id for one in wrong.diagnostics]


@EVERY_FIELD
def test_rules_can_name_it(field: Field) -> None:
    """`lifecycle.ignore` of a device, `onDrift` of a project."""
    ignoring = read(f=f"{HEAD}devices:\n  a: {{lifecycle: {{ignore: [{field.path}]}}}}\n")
    of = read_project(f"{PROJECT_TEXT}onDrift: {{{field.path}: report}}\n")

    assert {field.path} == ignoring.devices["a"].lifecycle.ignore
    assert {field.path: "report"} == of.on_drift


@EVERY_FIELD
def test_import_writes_it(field: Field) -> None:
    """What is live is declared as it is, and read back from the text."""
    ana = person(1, external("ana"))
    for value in VALUES[field.type]:
        live = Live({"a": live_with(field, value)}, {"a": ana})
        made = make_entries(live, "courier", Desired())
        assert value == made.devices["a"][field.path]
        [file] = written(
            made, "courier", ManifestDirectory("devices", frozenset(), "schema.json", 262144)
        )
        assert value == getattr(read(f=file.text).devices["a"], field.attribute)


@pytest.mark.parametrize("field", [one for one in FIELDS if one.type is str])
def test_import_leaves_out_a_text_that_no_manifest_can_hold(field: Field) -> None:
    """It is named, and the rest of the device is written."""
    live = Live({"a": live_with(field, "x" * (VALUE.longest + 1))}, {"a": None})
    made = make_entries(live, "courier", Desired())

    assert [Undeclared("a", field.path, "a manifest's texts have at most 4,096 characters")] == [
        *made.undeclared
    ]
    assert field.path not in made.devices["a"]


@EVERY_FIELD
def test_a_difference_of_layout_shows_flags_and_no_texts(field: Field) -> None:
    """A flag says nothing of anybody; a text may."""
    old, new = (
        f"{HEAD}devices:\n  a: {{{field.path}:{space}{yaml(wanted(field))}}}\n".encode()
        for space in (" ", "   ")
    )

    shown = redacted_diff("f.yaml", old, new)

    assert (yaml(wanted(field)) in shown) is (field.type is bool)
    assert field.path in shown


# Schemas and documentation


def schema(name: str) -> dict[str, Any]:
    data = json.loads((ROOT / "schemas" / f"{name}.schema.json").read_bytes())
    assert isinstance(data, dict)
    return data


def test_the_schema_of_manifests_has_the_fields_of_the_table() -> None:
    """Devices and defaults: those fields in that order, and nothing else is a field."""
    devices = schema("devices")
    rest = [ADDITIONAL_DATA, "lifecycle"]
    order = [OWNER, *FIELD_BY_PATH, *rest]

    assert ["label", *order] == list(devices["$defs"]["device"]["properties"])
    assert order == list(devices["properties"]["defaults"]["properties"])


@EVERY_FIELD
def test_the_schema_of_manifests_explains_it(field: Field) -> None:
    """One definition for both places: its type, a title, a description, an example."""
    devices = schema("devices")
    definition = devices["$defs"][field.path]
    for place in (devices["$defs"]["device"], devices["properties"]["defaults"]):
        assert {"$ref": f"#/$defs/{field.path}"} == place["properties"][field.path]

    assert {bool: "boolean", str: "string"}[field.type] == definition["type"]
    assert {"title", "description", "examples"} <= definition.keys()
    assert field.type is bool or definition["maxLength"] <= VALUE.longest
    ignore = devices["$defs"]["lifecycle"]["properties"]["ignore"]
    assert re.fullmatch(ignore["items"]["pattern"], field.path)
    assert field.path in ignore["description"]
    order = Orders([json.dumps(devices).encode()]).of("Devices").below("defaults")
    assert 1 + FIELDS.index(field) == order.rank(field.path)


def test_the_schema_of_projects_has_the_fields_of_the_table() -> None:
    """`onDrift` is said of each, and additionalData is one."""
    drift = schema("project")["properties"]["onDrift"]["properties"]

    assert [OWNER, *FIELD_BY_PATH, ADDITIONAL_DATA] == list(drift)
    assert {one: "report" if one == OWNER else "correct" for one in drift} == {
        one: entry["default"] for one, entry in drift.items()
    }


def path_descriptions(document: object) -> Iterator[str]:
    """Yield what a schema says of each property `path` that names fields."""
    if isinstance(document, dict):
        properties = document.get("properties")
        if isinstance(properties, dict) and {"path", "before", "after"} <= properties.keys():
            yield properties["path"]["description"]
        for value in document.values():
            yield from path_descriptions(value)


def test_the_schema_of_plans_names_the_fields_and_risks_of_the_table() -> None:
    """Where a plan has the path of a field, and where it has risks."""
    plan = schema("plan")
    expected = f"The field: {OWNER}, {', '.join(FIELD_BY_PATH)}, or additionalData.KEY."

    assert [expected, expected] == list(path_descriptions(plan))
    risks = plan["properties"]["changes"]["items"]["properties"]["risks"]["items"]["enum"]
    assert [risk.value for risk in Risk] == risks


@EVERY_FIELD
def test_the_manual_names_it(field: Field) -> None:
    """The reference of manifests has its row, and `onDrift` lists it."""
    manual = (Path(ROOT) / "README.md").read_text("utf-8")
    [on_drift] = re.findall(r"^\| `onDrift` .*$", manual, re.MULTILINE)

    assert f"| `devices.ID.{field.path}` |" in manual
    assert f"`{field.path}`" in on_drift


# Renderings


@EVERY_FIELD
def test_every_rendering_of_a_plan_shows_it(field: Field) -> None:
    """Text, comment, page and document: its path, what it was, what it becomes, its risk."""
    plan = plan_of(field)
    shown = {
        "text": plain(text.lines(plan)),
        "markdown": markdown.render(plan),
        "html": page.render(plan),
        "json": encode(plan).decode(),
    }
    for form, document in shown.items():
        for part in (field.path, json_text(was(field)), json_text(wanted(field))):
            assert part in document, (form, part)
        if field.risk is not None and field.is_risky(wanted(field)):
            assert field.risk in document, form
    called = plain(call_list.lines(plan))
    assert all(part in called for part in (field.wire[-1], json_text(wanted(field))))


def json_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@EVERY_FIELD
def test_the_risk_stands_beside_it(field: Field) -> None:
    """A risk of a field is shown with that field and not with the whole device."""
    [change] = view(plan_of(field)).changes
    [shown] = change.fields

    assert () == change.risks
    assert ((field.risk,) if field.is_risky(wanted(field)) else ()) == shown.risks


@EVERY_FIELD
def test_every_rendering_of_drift_shows_it(field: Field) -> None:
    """Text and comment: its path, what is live, what was applied."""
    said = declared_with(field)
    found = drift_of(
        list(record(said).devices.values()),
        desired(said),
        record(said),
        Live({"a": live_with(field)}),
    )
    made = Made("2026-11-26T20:00:00Z", Reads("points", ReadCounts()))
    document = drift_document(found, desired(said), record(said), project(), made)
    for shown in (plain(drift_text.lines(document)), drift_text.markdown(document)):
        for part in (field.path, json_text(was(field)), json_text(wanted(field))):
            assert part in shown


@EVERY_FIELD
def test_a_listed_state_names_it(field: Field) -> None:
    """What was applied, without its value."""
    [entry] = record(declared_with(field)).devices.values()

    for shown in (record_text.entries_text([entry]), record_text.entry_text(entry)):
        assert field.path in shown
