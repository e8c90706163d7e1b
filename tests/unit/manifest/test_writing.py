"""Live registrations become manifests: their text, how they are split, and what is left out."""

from __future__ import annotations

import pytest

from reconciler.core.device import Desired, Owner
from reconciler.core.live import Live, LivePerson, LiveRegistration
from reconciler.core.secret import Secret
from reconciler.manifest.import_entries import Undeclared, make_entries
from reconciler.manifest.writing import (
    Manifest,
    ManifestDirectory,
    Seal,
    file_name_pattern,
    make_manifests,
    read_seal,
)
from tests.changed import replace
from tests.fleet import desired, device, email, external, owner, person, phone, registration

from .reading import manifests as read

PLACE = ManifestDirectory("devices", frozenset(), "../schemas/devices.schema.json", 256 * 1024)
ANA = person(7, external("courier-118"), phone("385911234567"), is_lead=True)
IVO = person(12, phone("385917654321"), email("ivo@example.com"))
EVA = person(30, email("eva@example.com"))


def live(*found: LiveRegistration, **owners: LivePerson) -> Live:
    return Live({one.id: one for one in found}, {one.id: owners.get(one.id) for one in found})


def undeclared(found: Live, declared: Desired | None = None) -> list[tuple[str, str | None]]:
    made = make_entries(found, "courier", declared or Desired())
    return [(one.device, one.field) for one in made.undeclared]


def written(
    found: Live, declared: Desired | None = None, place: ManifestDirectory = PLACE
) -> list[Manifest]:
    return list(
        make_manifests(make_entries(found, "courier", declared or Desired()), "courier", place)
    )


def test_the_text_is_what_a_person_would_write() -> None:
    """Words stay bare; what some reader could take for something else is quoted."""
    data = {"shift": "night", "floor": 2, "ready": True, "ends": "2027-03-31", "door": "0123"}
    [file] = written(
        live(
            registration("B", is_primary=True, data=data),
            registration("A", enabled=False),
            registration("C"),
            registration("D", data={"on": "Žuti kombi", "ratio": 1e16}),
            A=ANA,
            B=ANA,
            C=IVO,
            D=EVA,
        )
    )

    assert "devices/courier.yaml" == file.path
    assert (("A", "B", "C", "D"), 3) == (file.devices, file.people)
    head, body = file.text.split("apiVersion", 1)
    assert head.startswith(
        "# yaml-language-server: $schema=../schemas/devices.schema.json\n"
        "# Written by reconciler import; sha256 "
    )
    assert (
        """\
: reconciler/v1
kind: Devices
application: courier
people:
  person-7: {externalId: courier-118}
  person-12: {phoneNumber: "+385917654321"}
  person-30: {email: eva@example.com}
devices:
  A:
    owner: person-7
    isPrimary: false
    registrationEnabled: false
  B:
    owner: person-7
    isPrimary: true
    registrationEnabled: true
    additionalData:
      door: "0123"
      ends: 2027-03-31
      floor: 2
      ready: true
      shift: night
  C:
    owner: person-12
    isPrimary: false
    registrationEnabled: true
  D:
    owner: person-30
    isPrimary: false
    registrationEnabled: true
    additionalData:
      "on": Žuti kombi
      ratio: 1.0e+16
"""
        == body
    )


def test_nobody_is_not_declared() -> None:
    """Without people there is no `people:`, and a device says nothing of its owner."""
    [file] = written(live(registration("A")))

    assert "people" not in file.text
    assert "owner" not in file.text


def test_characters_that_turn_a_line_around_are_escapes() -> None:
    """Whoever reviews the file sees what it says."""
    [file] = written(live(registration("A", data={"note": "a\u202eb"})))

    assert '"a\\u202Eb"' in file.text


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"": "x"}, "keys have 1 to 256"),
        ({"k" * 257: "x"}, "keys have 1 to 256"),
        ({"k": "x" * 4097}, "at most 4,096"),
        ({"k": 2**63}, "out of range"),
        ({"k": 1e300}, "out of range"),
        ({"k": "\ud800"}, "no Unicode text"),
        ({"\ud800": "x"}, "no Unicode text"),
    ],
)
def test_what_a_manifest_cannot_hold_is_left_out(data: dict[str, str | int], why: str) -> None:
    """By device and field, without the value; the rest of the device is declared."""
    made = make_entries(live(registration("A", data={"fine": 1, **data})), "courier", Desired())

    [one] = made.undeclared
    assert one == Undeclared("A", f"additionalData.{next(iter(data))}", one.why)
    assert why in one.why
    assert {"fine": 1} == made.devices["A"]["additionalData"]


@pytest.mark.parametrize("id_", [".", "..", "a b", "ž", "x" * 257, ""])
def test_an_id_that_a_manifest_cannot_hold(id_: str) -> None:
    """The device is left out as a whole, and its owner with it."""
    made = make_entries(live(registration(id_), **{id_: ANA}), "courier", Desired())

    assert ({}, {}) == (made.devices, made.people)
    assert [(id_, None)] == [(one.device, one.field) for one in made.undeclared]


def test_somebody_whose_first_value_cannot_be_declared_is_named_by_the_next() -> None:
    """externalId null is refused by the service's own rule; a phone number too short, by ours."""
    found = live(
        *map(registration, "ABC"),
        A=person(1, external("null"), phone("385911")),
        B=person(2, phone("385"), email("b@example.com")),
        C=person(3, external("NULL")),
    )
    made = make_entries(found, "courier", Desired())

    assert {
        "person-1": {"phoneNumber": "+385911"},
        "person-2": {"email": "b@example.com"},
    } == made.people
    assert [("C", "owner")] == [(one.device, one.field) for one in made.undeclared]


def test_several_primary_devices_of_one_person() -> None:
    """None of them says that it is primary: the rule of one would refuse the files."""
    found = live(
        registration("A", is_primary=True),
        registration("B", is_primary=True),
        registration("C"),
        A=ANA,
        B=ANA,
        C=ANA,
    )

    assert [("A", "isPrimary"), ("B", "isPrimary")] == undeclared(found)
    [file] = written(found)
    assert 1 == file.text.count("isPrimary")


def test_a_primary_device_beside_one_of_the_manifests() -> None:
    """Only the new one is silent, of whatever application the other is, unless a pin keeps
    applications apart."""
    ana = owner("ana", external("courier-118"))
    found = live(registration("A", is_primary=True), A=ANA)

    assert [("A", "isPrimary")] == undeclared(
        found, desired(device("Z", owner=ana, is_primary=True))
    )
    elsewhere = desired(device("Z", owner=ana, is_primary=True, application="shop"))
    assert [("A", "isPrimary")] == undeclared(found, elsewhere)
    pinned = {"promote": "demotes-others-of-application"}
    assert () == make_entries(found, "courier", elsewhere, pinned=pinned).undeclared


def test_somebody_whom_other_manifests_declare_is_declared_the_same() -> None:
    """Two declarations that share a value must not differ in anything."""
    ana = owner(
        "ana",
        external("courier-118"),
        phone("385911234567"),
        attributes=Secret({"firstName": "Ana", "tags": ["x"]}),
    )
    [file] = written(live(registration("A"), A=ANA), desired(device("Z", owner=ana)))
    [other] = written(
        live(registration("A"), A=ANA), desired(device("Z", owner=replace(ana, attributes=None)))
    )

    assert (
        '  person-7: {externalId: courier-118, phoneNumber: "+385911234567", '
        "attributes: {firstName: Ana, tags: [x]}}\n" in file.text
    )
    assert "attributes" not in other.text
    assert read(a=file.text).diagnostics == ()


def test_somebody_who_is_declared_with_values_that_they_lack() -> None:
    """Their devices say nothing of an owner: as declared it would be a change."""
    ana = owner("ana", external("courier-118"), email("ana@example.com"))

    [one] = make_entries(
        live(registration("A"), A=ANA), "courier", desired(device("Z", owner=ana))
    ).undeclared
    assert ("A", "owner") == (one.device, one.field)
    assert "devices/zg.yaml#people.ana" in one.why


def test_several_people_with_the_same_value() -> None:
    """Only the first can be named by it."""
    twin = person(9, external("courier-118"))

    assert [("B", "owner")] == undeclared(live(*map(registration, "AB"), A=ANA, B=twin))


def test_a_name_is_nobodys_identity() -> None:
    """Names stand in plans; that of a person whose number is somebody's phone number changes."""
    found = live(
        *map(registration, "ABC"),
        A=person(38591, external("a")),
        B=person(2, phone("38591")),
        C=person(3, external("person-2"), phone("38591")),
    )
    made = make_entries(found, "courier", Desired())

    assert ["person-c", "person-3", "person-difjb"] == list(made.people)


@pytest.mark.parametrize("largest", [1024, 2000, 5000])
def test_files_are_as_full_as_they_may_be(largest: int) -> None:
    """A file takes devices as long as they fit; a person stands in each file with their devices."""
    many = [registration(f"D{n:03}", data={"n": n}) for n in range(100)]
    found = live(*many, **{one.id: (ANA, IVO, EVA)[n % 3] for n, one in enumerate(many)})
    files = written(found, place=replace(PLACE, largest=largest))
    sizes = [len(one.text.encode()) for one in files]

    assert [one.id for one in many] == [id_ for one in files for id_ in one.devices]
    assert [f"devices/courier-{n:03}.yaml" for n in range(1, len(files) + 1)] == [
        one.path for one in files
    ]
    assert all(largest - 160 < size <= largest for size in sizes[:-1])
    together = read(**{f"f{n}": one.text for n, one in enumerate(files)}).value
    assert together is not None
    assert 100 == len(together.devices)
    assert 3 == len(
        {one.owner.identity for one in together.devices.values() if isinstance(one.owner, Owner)}
    )


def test_files_that_are_there_keep_their_numbers() -> None:
    """What is new goes beside them."""
    found = live(registration("A"))

    [first] = written(found, place=replace(PLACE, directory="."))
    [second] = written(found, place=replace(PLACE, taken=frozenset({1})))
    [ninth] = written(found, place=replace(PLACE, taken=frozenset({1, 8})))
    assert ["courier.yaml", "devices/courier-002.yaml", "devices/courier-009.yaml"] == [
        first.path,
        second.path,
        ninth.path,
    ]
    assert [] == written(live())


def test_the_names_that_files_have() -> None:
    """No other name is taken for one of ours."""
    names = file_name_pattern("a.b")

    assert [True, True, True] == [
        names.fullmatch(one) is not None for one in ("a.b.yaml", "a.b-001.yaml", "a.b-1000.yaml")
    ]
    assert [None, None, None, None] == [
        names.fullmatch(one) for one in ("axb.yaml", "a.b-1.yaml", "a.b.yml", "a.b-x.yaml")
    ]


def test_the_seal_tells_whose_a_file_is() -> None:
    """Ours as it was written, ours and edited since, or not ours."""
    [file] = written(live(registration("A")))
    data = file.text.encode()

    assert Seal.INTACT is read_seal(data)
    assert Seal.EDITED is read_seal(data + b"# mine\n")
    assert Seal.EDITED is read_seal(data.replace(b"Enabled: true", b"Enabled: false"))
    assert Seal.INTACT is read_seal(data.split(b"\n", 1)[1])
    assert Seal.FOREIGN is read_seal(data.split(b"\n", 2)[2])
    assert Seal.FOREIGN is read_seal(b"")
