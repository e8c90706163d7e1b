"""People of files outside of Git are names in every manifest; and what privacy: says is read."""

from __future__ import annotations

import json

import pytest

from reconciler.core import codes
from reconciler.core.absent import ABSENT
from reconciler.core.device import Desired, Owner
from reconciler.core.identity import IdentityKind
from reconciler.core.live import Live, LivePerson, LiveRegistration
from reconciler.core.source import Source
from reconciler.manifest.devices import read_manifests
from reconciler.manifest.external_people import ExternalPeople, read_people
from reconciler.manifest.import_entries import make_entries
from reconciler.manifest.project import read_project
from reconciler.manifest.result import ManifestFile, ParseResult
from reconciler.manifest.rules import check_hidden_keys

from .reading import HEAD, PROJECT_TEXT, ROOT, SCHEMAS, desired, mistakes, project

SCHEMA = (ROOT / "schemas" / "people.schema.json").read_bytes()
PEOPLE = "apiVersion: reconciler/v1\nkind: People\npeople:\n"
ANA = PEOPLE + "  ana: {externalId: courier-118, email: Ana@x.test}\n"


def outside(text: str = ANA) -> ExternalPeople:
    read = read_people([ManifestFile("people/zg.yaml", text.encode())], SCHEMA)
    assert read.value is not None, read.diagnostics
    return ExternalPeople(read.value)


def read(text: str, known: ExternalPeople) -> ParseResult[Desired]:
    return read_manifests(
        [ManifestFile("a.yaml", text.encode())], project(), SCHEMAS, outside=known
    )


def owners(found: ParseResult[Desired]) -> dict[str, object]:
    assert found.value is not None, found.diagnostics
    return {
        id_: one.owner.pointer if isinstance(one.owner, Owner) else one.owner
        for id_, one in found.value.devices.items()
    }


def test_a_person_of_a_manifest_and_one_from_outside_are_the_same_kind() -> None:
    """The two schemas say the same of a person."""
    ours, theirs = (
        json.loads((ROOT / "schemas" / f"{name}.schema.json").read_bytes())
        for name in ("people", "devices")
    )

    assert ours["$defs"]["person"] == theirs["$defs"]["person"]
    names = [one["properties"]["people"]["propertyNames"] for one in (ours, theirs)]
    assert names[0] == names[1]


def test_names_from_outside_are_owners_in_every_document() -> None:
    """Of devices and defaults, beside the document's own people."""
    text = (
        f"{HEAD}people: {{bo: {{externalId: b}}}}\ndefaults: {{owner: ana}}\n"
        f"devices: {{A: {{}}, B: {{owner: bo}}}}\n---\n{HEAD}devices: {{C: {{owner: ana}}}}\n"
    )

    assert owners(read(text, outside())) == {
        "A": "people/zg.yaml#people.ana",
        "B": "a.yaml#people.bo",
        "C": "people/zg.yaml#people.ana",
    }


def test_rules_count_people_from_outside() -> None:
    """Two primaries of one person; a value that somebody else has too; a name that tells."""
    two = f"{HEAD}defaults: {{owner: ana, isPrimary: true}}\ndevices: {{A: {{}}, B: {{}}}}\n"
    other = f"{HEAD}devices: {{A: {{owner: {{externalId: courier-118}}}}}}\n"
    telling = f"{HEAD}people: {{courier-118: {{externalId: c}}}}\ndevices: {{A: {{}}}}\n"

    assert mistakes(read(two, outside())) == ["a.yaml:5:18 E204"]
    assert mistakes(read(other, outside())) == ["people/zg.yaml:4:3 E210"]
    assert mistakes(read(telling, outside())) == ["a.yaml:4:10 E215"]


def test_a_name_of_two_people_names_both_places() -> None:
    """In a manifest and outside, or in two files outside."""
    clash = f"{HEAD}people: {{ana: {{externalId: z}}}}\ndevices: {{A: {{owner: ana}}}}\n"
    found = read(clash, outside())
    files = [ManifestFile(name, ANA.encode()) for name in ("one.yaml", "two.yaml")]
    both = read_people(files, SCHEMA)

    assert mistakes(found) == ["a.yaml:4:10 E216"]
    assert found.diagnostics[0].related == ((Source("people/zg.yaml", 4, 3), "the other one"),)
    assert (both.value, mistakes(both)) == (None, ["two.yaml:4:3 E216"])  # type: ignore[arg-type]


def test_where_somebody_may_be_missing_an_unknown_owner_is_no_mistake() -> None:
    """validate without the file: it does not know who is in it."""
    text = f"{HEAD}devices: {{A: {{owner: ivo}}, B: {{owner: ana}}}}\n"

    assert mistakes(read(text, outside())) == ["a.yaml:4:22 E208"]
    known = ExternalPeople(outside().people, whole=False)
    assert owners(read(text, known)) == {"A": ABSENT, "B": "people/zg.yaml#people.ana"}


def test_manifests_of_another_time_need_not_agree_with_the_people_of_now() -> None:
    """Then `ana` stood in the manifest, with other values, and has moved out since."""
    text = f"{HEAD}people: {{ana: {{externalId: courier-118}}}}\ndevices: {{A: {{owner: ana}}}}\n"
    known = ExternalPeople(outside().people, whole=False, judged=False)

    assert mistakes(read(text, outside())) == ["a.yaml:4:10 E216", "people/zg.yaml:4:3 E210"]
    assert owners(read(text, known)) == {"A": "a.yaml#people.ana"}


def test_no_mistake_shows_a_value_from_outside() -> None:
    """Only places, names of fields and names of people."""
    text = (
        PEOPLE + "  ana: {externalId: 118118118, email: ana.x.test, phoneNumber: +385911111}\n"
        "  ivo@x.test: {externalId: secret-1}\n  bo: {externalId: [secret-2], gender: secret-3}\n"
    )
    found = read_people([ManifestFile("p.yaml", text.encode())], SCHEMA)
    shown = repr(found.diagnostics)

    assert len(found.diagnostics) >= 5
    values = ("118118118", "ana.x.test", "385911111", "ivo@x.test", "secret")
    assert [value for value in values if value in shown] == []


def test_import_names_whom_files_outside_know_and_writes_nothing_of_them() -> None:
    """Their values stay where they are; a made name is never one of theirs."""
    text = f"{ANA}  person-2: {{externalId: z}}\n"
    known = outside(text).people
    (value,) = (one for one in known["ana"].identity if one.kind is IdentityKind.EXTERNAL_ID)
    (mail,) = (one for one in known["ana"].identity if one.kind is IdentityKind.EMAIL)
    other = next(
        iter(desired(f=f"{HEAD}devices: {{A: {{owner: {{externalId: q}}}}}}\n").devices.values())
    )
    assert isinstance(other.owner, Owner)
    live = Live(
        {id_: LiveRegistration(id_, "APP") for id_ in ("A", "B")},
        {
            "A": LivePerson(1, frozenset({value, mail})),
            "B": LivePerson(2, frozenset(other.owner.identity)),
        },
    )
    found = make_entries(live, "courier", Desired(), known)

    assert {id_: entry["owner"] for id_, entry in found.devices.items()} == {
        "A": "ana",
        "B": "person-2x",
    }
    assert found.people == {"person-2x": {"externalId": "q"}}


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("privacy: {show: [externalID]}", "reconciler.yaml:10:18 E154"),
        ("privacy: {show: [externalId, externalId]}", "reconciler.yaml:10:17 E154"),
        ("privacy: {hide: [email]}", "reconciler.yaml:10:18 E313"),
        ("privacy: {hide: [additionalData.]}", "reconciler.yaml:10:18 E313"),
        ("privacy: {hide: additionalData.email}", "reconciler.yaml:10:17 E151"),
        ("privacy: {hidden: []}", "reconciler.yaml:10:11 E152"),
        ("peopleFrom: people.yaml", "reconciler.yaml:10:13 E151"),
        ("peopleFrom: [people/*.yaml]", "reconciler.yaml:10:14 E154"),
        ("peopleFrom: [../people.yaml]", "reconciler.yaml:10:14 E311"),
        ("peopleFrom: [/run/people.yaml]", "reconciler.yaml:10:14 E311"),
        ('peopleFrom: ["${PEOPLE}"]', "reconciler.yaml:10:14 E306"),
    ],
)
def test_what_is_wrong_with_the_sections(section: str, expected: str) -> None:
    """Each at its place."""
    found = read_project("reconciler.yaml", f"{PROJECT_TEXT}{section}\n".encode(), SCHEMAS)

    assert mistakes(found) == [expected]


def test_the_sections_are_read() -> None:
    """Left out they show nobody, hide nothing and name no file."""
    silent = project()
    found = project(
        PROJECT_TEXT + "privacy: {show: [email], hide: [additionalData.a.b, additionalData.*]}\n"
        "peopleFrom: [people/zg.yaml]\n"
    )

    assert (silent.privacy.show, silent.privacy.hide, silent.people_from) == (frozenset(), {}, ())
    assert found.privacy.show == {IdentityKind.EMAIL}
    assert list(found.privacy.hide) == ["additionalData.a.b", "additionalData.*"]
    assert [pattern.text for pattern in found.people_from] == ["people/zg.yaml"]


def test_a_hidden_field_that_nobody_declares_is_warned_of() -> None:
    """A misspelt one would show what it should hide."""
    found = project(PROJECT_TEXT + "privacy: {hide: [additionalData.emial, additionalData.*]}\n")
    text = desired(f=f"{HEAD}devices: {{A: {{additionalData: {{email: x, shift: y}}}}}}\n")
    (warning,) = check_hidden_keys(found.privacy, text)

    assert (warning.code, warning.source) == (
        codes.HIDES_NOTHING,
        Source("reconciler.yaml", 10, 18),
    )
    assert warning.fix == "Did you mean `additionalData.email`?"
