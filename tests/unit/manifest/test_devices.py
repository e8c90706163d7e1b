"""Manifests become desired state: defaults merged, owners resolved, rules across files kept."""

from __future__ import annotations

import itertools
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.absent import ABSENT
from reconciler.core.device import DesiredDevice, Lifecycle, OnRemove, Owner, Removal
from reconciler.core.identity import Identity, IdentityKind, IdentityValue
from reconciler.core.secret import Secret
from reconciler.core.source import Source
from reconciler.manifest.devices import read_manifests
from reconciler.manifest.result import ManifestFile

from .reading import HEAD, PROJECT_TEXT, SCHEMAS, desired, manifests, mistakes, project

ANA = Identity.of(
    IdentityValue.of(IdentityKind.EXTERNAL_ID, "courier-118"),
    IdentityValue.of(IdentityKind.PHONE_NUMBER, "385911234567"),
    IdentityValue.of(IdentityKind.EMAIL, "ana@example.com"),
)
EXAMPLE = (
    HEAD
    + """\
people:
  ana:
    externalId: courier-118
    phoneNumber: "+385911234567"
    email: Ana@Example.com
    keepAsLead: true
    attributes: {firstName: Ana, tags: [courier], customAttributes: {vehicle: van}}
defaults:
  registrationEnabled: true
  additionalData: {fleet: zagreb, shift: day}
  lifecycle: {ignore: [owner]}
devices:
  B:
    label: Ana's phone
    isPrimary: true
    owner: ana
    registrationEnabled: false
    additionalData: {shift: night, contractEnds: 2027-03-31, oldKey: null}
    lifecycle: {protect: true, onRemove: release}
  A: {}
  C: {owner: null}
removed:
  D: depersonalize
"""
)


def test_the_example_of_the_design() -> None:
    """Everything a manifest can say, by registration id in order."""
    found = desired(zg=EXAMPLE)
    ana = Owner(
        "zg.yaml#people.ana",
        ANA,
        Secret({"firstName": "Ana", "tags": ["courier"], "customAttributes": {"vehicle": "van"}}),
        True,
    )
    assert list(found.devices) == ["A", "B", "C"]
    assert found.devices["B"] == DesiredDevice(
        "B",
        "courier",
        Source("zg.yaml", 16, 3),
        "Ana's phone",
        ana,
        True,
        False,
        {"fleet": "zagreb", "shift": "night", "contractEnds": "2027-03-31", "oldKey": None},
        Lifecycle(True, frozenset({"owner"}), OnRemove.RELEASE),
    )
    assert found.devices["A"] == DesiredDevice(
        "A",
        "courier",
        Source("zg.yaml", 23, 3),
        registration_enabled=True,
        additional_data={"fleet": "zagreb", "shift": "day"},
        lifecycle=Lifecycle(ignore=frozenset({"owner"})),
    )
    assert found.devices["C"].owner is None
    assert found.devices["A"].owner is ABSENT
    assert found.removed == {
        "D": Removal("D", "courier", OnRemove.DEPERSONALIZE, Source("zg.yaml", 26, 3))
    }


def pointers(**texts: str) -> dict[str, str]:
    return {
        key: device.owner.pointer
        for key, device in desired(**texts).devices.items()
        if isinstance(device.owner, Owner)
    }


def test_the_owner_of_the_defaults_is_replaced_whole() -> None:
    """An inline owner is not merged into the one of the defaults."""
    text = HEAD + (
        "people: {ana: {externalId: a}}\n"
        "defaults: {owner: {externalId: x, email: x@y}}\n"
        "devices: {A: {}, B: {owner: {email: b@c}}, C: {owner: ana}, D: {owner: null}}\n"
    )
    found = desired(f=text)
    assert pointers(f=text) == {
        "A": "f.yaml#defaults.owner",
        "B": "f.yaml#devices.B.owner",
        "C": "f.yaml#people.ana",
    }
    owner = found.devices["B"].owner
    assert isinstance(owner, Owner)
    assert owner.identity == Identity.of(IdentityValue.of(IdentityKind.EMAIL, "b@c"))
    assert found.devices["D"].owner is None


def test_names_are_local_to_their_document_and_pointers_are_not_ambiguous() -> None:
    """The same name in two documents of a file is two people, with two pointers."""
    text = HEAD + "people: {ana: {externalId: a}}\ndevices: {A: {owner: ana}}\n---\n"
    text += HEAD + "people: {ana: {externalId: b}}\ndevices: {B: {owner: ana}}\n"
    other = HEAD + "devices: {C: {owner: ana}}\n"
    assert pointers(f=text) == {"A": "f.yaml#people.ana", "B": "f.yaml#document2.people.ana"}
    assert mistakes(manifests(f=text, g=other)) == ["g.yaml:4:22 E208"]


@pytest.mark.parametrize(
    ("text", "is_good"),
    [
        ("+385911234567", True),
        ("385911234567", True),
        ("00385911234567", True),
        ("00385 91 123-4567", True),
        ("(00385) 91 123 4567", True),
        ("(+385) 91.123.4567", True),
        ("+385\u00a091\u202f123\u20114567", True),
        ("0911234567", False),
        ("(091) 123 4567", False),
        ("000385911234567", False),
        ("+00385911234567", False),
        ("+385 (0)91 123 4567", False),
        ("+385 (091) 123 4567", False),
        ("+385 ( 0 ) 91 123 4567", False),
        ("+38 59", False),
        ("+385 911 234 567 890 1", False),
        ("+385/91/123", False),
        ("+385 91 123 ext 4", False),
        ("++385911234567", False),
        ("+385911234567\n", False),
        ("+٣٨٥٩١١٢٣٤", False),
        ("", False),
    ],
)
def test_how_a_phone_number_may_be_written(text: str, is_good: bool) -> None:
    """One number however it is written; what could be another one is an error without it."""
    read = manifests(
        a=HEAD
        + f"people: {{ana: {{phoneNumber: {json.dumps(text)}}}}}\ndevices: {{A: {{owner: ana}}}}"
    )
    if not is_good:
        assert {one.code.id for one in read.diagnostics} & {"E213", "E154"}, read.diagnostics
        return
    assert read.value is not None, read.diagnostics
    found = read.value.devices["A"].owner
    assert isinstance(found, Owner)
    assert Identity.of(IdentityValue(IdentityKind.PHONE_NUMBER, "385911234567")) == found.identity


def test_a_hostile_phone_number_costs_little() -> None:
    """Whatever its length; CPU time, which a busy machine does not change."""
    for sign in (" ", "(", "1 ", "-", "0", "00", "((0"):
        text = json.dumps(sign * 50_000)
        started = time.process_time()
        read = manifests(a=HEAD + f"people: {{ana: {{phoneNumber: {text}}}}}\ndevices: {{A: {{}}}}")
        assert time.process_time() - started < 2
        assert ["E213"] == [one.code.id for one in read.diagnostics]


def test_primaries_of_two_people_are_no_conflict() -> None:
    """One primary device per person; nobody's and unknown owners do not count."""
    body = "people: {ana: {externalId: %s}}\ndevices: {%s: {owner: ana, isPrimary: true}}\n"
    free = HEAD + "defaults: {isPrimary: true}\ndevices: {C: {}, D: {owner: null}, E: {}}\n"
    read = manifests(a=HEAD + body % ("a", "A"), b=HEAD + body % ("b", "B"), c=free)
    assert mistakes(read) == []


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        (None, ["b.yaml:5:38 E204"]),
        ("demotes-others", ["b.yaml:5:38 E204"]),
        ("demotes-others-of-application", []),
        ("keeps-others", []),
    ],
)
def test_primaries_in_two_applications_need_a_pin(reading: str | None, expected: list[str]) -> None:
    """A person has one primary device, of all applications, unless somebody knows better."""
    body = "people: {ana: {externalId: a}}\ndevices: {%s: {owner: ana, isPrimary: true}}\n"
    shop = HEAD.replace("courier", "shop")
    pin = "" if reading is None else f"  assume: {{promote: {reading}}}\n"
    text = PROJECT_TEXT.replace("applications:", f"{pin}applications:", 1)
    files = [
        ManifestFile("a.yaml", (HEAD + body % "A").encode()),
        ManifestFile("b.yaml", (shop + body % "B").encode()),
    ]
    read = read_manifests(files, project(text), SCHEMAS)
    assert mistakes(read) == expected
    for one in read.diagnostics:
        advised = one.fix is not None and one.fix.endswith("pin it: api.assume.promote.")
        # Where it is pinned already, nobody is told to pin it.
        assert advised == (reading is None)
    # In one application it is an error under every reading, and no pin is advised.
    [within] = read_manifests(
        [files[0], ManifestFile("c.yaml", (HEAD + body % "C").encode())], project(text), SCHEMAS
    ).diagnostics
    assert (within.code.id, within.fix) == ("E204", None)


def test_the_same_person_may_be_declared_alike_in_several_files() -> None:
    """E-mail case and the plus of a phone number make no difference."""
    one = "people: {ana: {phoneNumber: '+385911234', email: A@b.c}}\ndevices: {A: {owner: ana}}\n"
    two = "people: {x: {phoneNumber: '385911234', email: a@B.c}}\ndevices: {B: {owner: x}}\n"
    assert mistakes(manifests(a=HEAD + one, b=HEAD + two)) == []
    differing = two.replace("email: a@B.c", "email: a@B.c, keepAsLead: true")
    assert mistakes(manifests(a=HEAD + one, b=HEAD + differing)) == ["b.yaml:4:10 E210"]


def test_one_wrong_entry_hides_no_mistake_of_others() -> None:
    """Rules across files hold for the sound entries of a document that has a wrong one."""
    wrong = HEAD + "people: {ana: {}}\ndevices: {A: {lable: x}, B: {owner: ana}, C: {owner: ivo}}\n"
    right = HEAD + "devices: {B: {}}\n"
    assert mistakes(manifests(a=wrong, b=right)) == [
        "a.yaml:4:10 E206",
        "a.yaml:5:15 E152",
        "a.yaml:5:54 E208",
        "b.yaml:4:11 E207",
    ]


def test_lazily_read_files_are_read_one_by_one() -> None:
    """Files may come from a generator."""
    texts = {"b.yaml": HEAD + "devices: {B: {}}\n", "a.yaml": HEAD + "devices: {A: {}}\n"}
    files = (ManifestFile(path, text.encode()) for path, text in texts.items())
    found = read_manifests(files, project(), SCHEMAS)
    assert found.value is not None
    assert list(found.value.devices) == ["A", "B"]


def test_nothing_declared_at_all_is_no_error_here() -> None:
    """Whether patterns match anything is for those who look for files."""
    assert read_manifests([], project(), SCHEMAS).diagnostics == ()


LINES = st.lists(
    st.sampled_from(
        [
            "devices: {A: {owner: {externalId: a}, isPrimary: true}}",
            "devices: {B: {owner: {externalId: a}, isPrimary: true}}",
            "devices: {B: {owner: {externalId: a, email: x@y}}}",
            "devices: {A: {}}\nremoved: {B: release}",
            "devices: {C: {owner: nobody}, A: {lable: x}}",
            "people: {a: {email: x@y}}\ndevices: {D: {owner: a}}",
        ]
    ),
    min_size=2,
    max_size=4,
)


@given(bodies=LINES)
def test_the_order_of_files_changes_nothing(bodies: list[str]) -> None:
    """The same diagnostics, the same state, in whatever order files are read."""
    files = [
        ManifestFile(f"{number}.yaml", (HEAD + body).encode()) for number, body in enumerate(bodies)
    ]
    answers = [read_manifests(order, project(), SCHEMAS) for order in itertools.permutations(files)]
    assert all(answer == answers[0] for answer in answers)
