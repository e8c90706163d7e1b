"""Whatever lives: the manifests written of it declare exactly that, as our own reader reads."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.absent import ABSENT
from reconciler.core.device import Desired, Owner
from reconciler.core.fields import Scalar
from reconciler.core.identity import Identity, IdentityKind, IdentityValue
from reconciler.core.live import Live, LivePerson, LiveRegistration
from reconciler.manifest.devices import read_manifests
from reconciler.manifest.import_entries import Entries, make_entries
from reconciler.manifest.result import ManifestFile
from reconciler.manifest.writing import Manifest, ManifestDirectory, Seal, make_manifests, read_seal
from tests.unit.manifest.reading import SCHEMAS, project

ODD = [
    *["", " ", "~", "null", "Null", "true", "True", "yes", "no", "on", "y", "<<", "=", "-", "?"],
    *["0123", "1e3", "0x1F", "0o7", "1_000", "12:30", ".5", "+1", ".inf", ".NaN", "-0", "1."],
    *["2027-03-31", "2027-02-31", "2027-03-31T00:00:00Z", "# no", "a # b", "a: b", "a:", "- a"],
    *[
        "{a",
        "[a",
        "&a",
        "*a",
        "!a",
        "|",
        ">",
        "%a",
        "@a",
        "`a",
        "'",
        '"',
        "\\",
        "\\n",
        "---",
        "...",
    ],
    *["\0", "\x07", "\x7f", "\x85", "\xa0", "\u2028", "\u2029", "\ufeff", "\ufffe", "\u202e", "😀"],
    *["a\nb", "a\r\nb", "\n", "\ta", "a\t", " a", "a ", "a  b", "ž" * 200, "x" * 4096],
]
TEXTS = st.one_of(st.sampled_from(ODD), st.text(), st.text(alphabet="0123456789eE+-.:_xn~ "))
NUMBERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.floats(-9e18, 9e18),
    st.sampled_from([0.0, -0.0, 1e16, 1e-7, 5e-324, 123456789012345680.0, 2**63 - 1, -(2**63)]),
)
VALUES: st.SearchStrategy[Scalar] = st.one_of(TEXTS, NUMBERS, st.booleans())
KEYS = st.one_of(st.sampled_from([one for one in ODD if 0 < len(one) <= 256]), st.text(min_size=1))
IDS = st.one_of(
    st.uuids().map(lambda one: str(one).upper()),
    st.sampled_from(
        ["null", "0123", "1e3", "<<", "~", "yes", "=", "'", '"', "#", "!a", "&a", "*a"]
    ),
    st.text(alphabet=[chr(code) for code in range(33, 127)], min_size=1, max_size=256),
).filter(lambda one: one not in (".", ".."))
EXTERNAL_IDS = TEXTS.filter(lambda one: 0 < len(one) <= 256 and one.lower() != "null")
MAYBE = st.one_of(st.just(ABSENT), st.booleans())


@st.composite
def lives(draw: st.DrawFn) -> Live:
    """People with odd external ids, phone numbers or addresses, and what they own."""
    external_ids = draw(st.lists(EXTERNAL_IDS, max_size=3, unique=True))
    people: list[LivePerson | None] = [None]
    for number, text in enumerate(external_ids, 1):
        values = {IdentityValue.of(IdentityKind.EXTERNAL_ID, text)}
        if draw(st.booleans()):
            values.add(IdentityValue.of(IdentityKind.PHONE_NUMBER, f"38591{number}"))
        people.append(LivePerson(number, frozenset(values), is_lead=draw(st.booleans())))
    phone = IdentityValue.of(IdentityKind.PHONE_NUMBER, "385911234567")
    email = IdentityValue.of(IdentityKind.EMAIL, "Ana <#1>'\"@example.com".replace(" ", ""))
    people.append(LivePerson(100, frozenset({phone, email})))
    people.append(LivePerson(101, frozenset({IdentityValue.of(IdentityKind.EMAIL, "a@b")})))
    primaries: set[int] = set()
    registrations: dict[str, LiveRegistration] = {}
    owners: dict[str, LivePerson | None] = {}
    for id_ in draw(st.lists(IDS, max_size=6, unique=True)):
        owner = owners[id_] = draw(st.sampled_from(people))
        is_primary = draw(MAYBE)
        if is_primary is True and owner is not None:
            is_primary = owner.number not in primaries
            primaries.add(owner.number)
        data = draw(st.one_of(st.just(ABSENT), st.dictionaries(KEYS, VALUES, max_size=4)))
        registrations[id_] = LiveRegistration(id_, "APP", is_primary, draw(MAYBE), data)
    return Live(registrations, owners)


def written(made: Entries, largest: int = 256 * 1024) -> tuple[Manifest, ...]:
    place = ManifestDirectory("devices", frozenset(), "../schemas/devices.schema.json", largest)
    return make_manifests(made, "courier", place)


def read(files: tuple[Manifest, ...]) -> Desired:
    found = read_manifests(
        [ManifestFile(one.path, one.text.encode()) for one in files], project(), SCHEMAS
    )
    assert found.value is not None, found.diagnostics
    assert not files or found.diagnostics == ()
    return found.value


def exact(values: Mapping[str, Scalar | None]) -> dict[str, tuple[type, str]]:
    """A value with its type, -0.0 apart from 0.0."""
    return {key: (type(value), repr(value)) for key, value in values.items()}


@given(lives())
@settings(max_examples=100, deadline=None)
def test_what_is_written_is_read_as_what_lives(live: Live) -> None:
    """Every id, key, value and identity, with its type; nothing that was not there."""
    made = make_entries(live, "courier", Desired())

    desired = read(written(made))

    assert made.undeclared == ()
    assert sorted(live.registrations) == list(desired.devices)
    for id_, device in desired.devices.items():
        found, owner = live.registrations[id_], live.owners[id_]
        assert isinstance(found, LiveRegistration)
        assert found.registration_enabled == device.registration_enabled
        # Of a device that nobody owns the flag is left open.
        assert device.is_primary == (ABSENT if owner is None else found.is_primary)
        assert exact(found.additional_data or {}) == exact(device.additional_data)
        if owner is None:
            assert device.owner is ABSENT
        else:
            assert isinstance(device.owner, Owner)
            assert set(device.owner.identity) <= owner.identities
            assert len(device.owner.identity.values) == 1
            assert device.owner.keep_as_lead is None
            assert device.owner.attributes is None


@given(lives(), st.integers(1024, 6000))
@settings(max_examples=70, deadline=None)
def test_a_split_changes_nothing_but_the_files(live: Live, largest: int) -> None:
    """The same is declared, each device once, and no file of several devices is too large."""
    made = make_entries(live, "courier", Desired())
    files = written(made, largest)

    assert [id_ for one in files for id_ in one.devices] == sorted(live.registrations)
    assert all(
        len(one.text.encode()) <= largest for one in files if len(one.devices) > 1 and is_plain(one)
    )
    assert all(read_seal(one.text.encode()) is Seal.INTACT for one in files)
    assert files == written(made, largest)
    whole, split = read(written(made)), read(files)
    assert {id_: bare(one.owner) for id_, one in whole.devices.items()} == {
        id_: bare(one.owner) for id_, one in split.devices.items()
    }
    assert {id_: one.additional_data for id_, one in whole.devices.items()} == {
        id_: one.additional_data for id_, one in split.devices.items()
    }


def is_plain(manifest: Manifest) -> bool:
    """Whether no character made the whole file one of escapes, which are longer."""
    return "\\u202E" not in manifest.text and "\\u20" not in manifest.text


def bare(owner: object) -> Identity | None:
    return owner.identity if isinstance(owner, Owner) else None
