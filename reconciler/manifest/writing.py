"""Manifests that `import` writes: entries to files that our own reader reads as the same values.

The same entries make the same files, byte for byte. Each begins with a mark that tells whether
somebody has edited it since (`seal_of`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final, assert_never

import yaml
from yaml.events import (
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from .import_entries import Entries, Entry
from .layout.key_order import Orders
from .layout.parser import read_pages
from .layout.scalar_style import is_bare, is_date
from .layout.writer import write_pages
from .tree import Tree

# They change the order in which a line is shown; as escapes they are seen in a review.
_BIDI: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# Long keys, and those with a line end in them, are written `? key` sooner than need be.
_MARKED_KEY: Final = re.compile(r"^ *\? ", re.MULTILINE)
_NO_ORDERS: Final = Orders(())
# Nothing is folded.
_WIDTH: Final = 2**31 - 1
_DUMPER: Final = getattr(yaml, "CDumper", yaml.Dumper)  # PyYAML may be built without libyaml


@dataclass(frozen=True, slots=True, repr=False)
class Manifest:
    """One file to write: its path, its text, and what it declares."""

    path: str
    text: str
    devices: tuple[str, ...]
    people: int


@dataclass(frozen=True, slots=True)
class ManifestDirectory:
    """Where manifests of an application go: a directory (`/` between, relative to the project),
    the numbers that are taken there, what an editor finds the schema by, and a file's size."""

    directory: str
    taken: frozenset[int]
    schema: str
    largest: int


def file_name_pattern(application: str) -> re.Pattern[str]:
    """Return what the names of an application's files match; the number is the first group."""
    return re.compile(rf"{re.escape(application)}(?:-([0-9]{{3,}}))?\.yaml", re.ASCII)


def make_manifests(
    entries: Entries, application: str, place: ManifestDirectory
) -> tuple[Manifest, ...]:
    """Return the files, split by size; a device that is larger by itself has a file of its own."""
    groups = list(_split_by_size(entries, application, place))
    alone = len(groups) == 1 and not place.taken
    first = max(place.taken, default=0) + 1
    prefix = "" if place.directory in ("", ".") else f"{place.directory}/"
    return tuple(
        Manifest(
            f"{prefix}{application}{'' if alone else f'-{number:03}'}.yaml",
            _manifest_text(application, people, devices, place.schema),
            tuple(devices),
            len(people),
        )
        for number, (people, devices) in enumerate(groups, first)
    )


_Group = tuple[Mapping[str, Entry], Mapping[str, Entry]]


def _split_by_size(
    entries: Entries, application: str, place: ManifestDirectory
) -> Iterator[_Group]:
    """Yield people and devices of each file, the devices in order as far as they fit."""
    empty = len(_manifest_text(application, {"": {}}, {"": {}}, place.schema).encode())
    sizes = {name: _entry_size(name, entry, flow=True) for name, entry in entries.people.items()}
    people: set[str] = set()
    devices: dict[str, Entry] = {}
    size = empty
    for id_, device in entries.devices.items():
        owner = device.get("owner")
        name = owner if isinstance(owner, str) else None
        own = _entry_size(id_, device, flow=False)
        if devices and size + own + _owner_size(name, people, sizes) > place.largest:
            yield _people_in_order(people, entries), devices
            people, devices, size = set(), {}, empty
        size += own + _owner_size(name, people, sizes)
        devices[id_] = device
        if name is not None:
            people.add(name)
    if devices:
        yield _people_in_order(people, entries), devices


def _owner_size(name: str | None, people: set[str], sizes: Mapping[str, int]) -> int:
    # Somebody who is known from outside has no entry.
    return 0 if name is None or name in people else sizes.get(name, 0)


def _people_in_order(people: set[str], entries: Entries) -> Mapping[str, Entry]:
    return {name: entry for name, entry in entries.people.items() if name in people}


def _entry_size(key: str, entry: Entry, *, flow: bool) -> int:
    """Return how many bytes an entry takes, which stands two columns deeper in its file."""
    text = _emit(_mapping_events({key: entry}, flow_from=1 if flow else None))
    return len(text.encode()) + 2 * text.count("\n")


def _manifest_text(
    application: str, people: Mapping[str, Entry], devices: Mapping[str, Entry], schema: str
) -> str:
    events: list[Event] = [MappingStartEvent(None, None, True, flow_style=False)]
    heads = {"apiVersion": "reconciler/v1", "kind": "Devices", "application": application}
    for key, value in heads.items():
        events += [_scalar_event(key), _scalar_event(value)]
    if people:
        events += [_scalar_event("people"), *_mapping_events(people, flow_from=1)]
    events += [_scalar_event("devices"), *_mapping_events(devices, flow_from=None)]
    events.append(MappingEndEvent())
    text = _emit(events)
    if _MARKED_KEY.search(text):
        text = write_pages(read_pages(text), _NO_ORDERS)
    return add_seal(text, schema)


def _emit(events: Iterable[Event]) -> str:
    """Return one document as text."""
    whole = (
        StreamStartEvent(),
        DocumentStartEvent(explicit=False),
        *events,
        DocumentEndEvent(explicit=False),
        StreamEndEvent(),
    )
    text = _dump(whole, readable=True)
    return _dump(whole, readable=False) if _BIDI.search(text) else text


def _dump(events: Iterable[Event], *, readable: bool) -> str:
    text = yaml.emit(events, Dumper=_DUMPER, allow_unicode=readable, width=_WIDTH)
    assert isinstance(text, str)
    return text


def _mapping_events(entries: Mapping[str, Tree | Entry], flow_from: int | None) -> list[Event]:
    """Return the events of a mapping; containers `flow_from` levels down stand in one line."""
    events: list[Event] = [
        MappingStartEvent(None, None, True, flow_style=flow_from is not None and flow_from <= 0)
    ]
    deeper = None if flow_from is None else flow_from - 1
    for key, value in entries.items():
        events.append(_scalar_event(key, is_key=True))
        events += _value_events(value, deeper)
    events.append(MappingEndEvent())
    return events


def _value_events(value: Tree | Entry, flow_from: int | None) -> list[Event]:
    match value:
        case Mapping():
            return _mapping_events(value, flow_from)
        case list():
            items = [event for item in value for event in _value_events(item, 0)]
            start = SequenceStartEvent(None, None, True, flow_style=True)
            return [start, *items, SequenceEndEvent()]
        case _:
            return [_scalar_event(value)]


def _scalar_event(value: str | int | float | bool | None, *, is_key: bool = False) -> ScalarEvent:
    match value:
        case None:
            text, quoted = "null", False
        case bool():
            text, quoted = ("true" if value else "false"), False
        case int() | float():
            text, quoted = _format_number(value), False
        case str():
            text, quoted = value, not (is_bare(value, is_key=is_key) or is_date(value))
        case _:
            assert_never(value)
    return ScalarEvent(None, None, (True, True), text, style='"' if quoted else None)


def _format_number(value: int | float) -> str:
    """Return a number as YAML of either version reads it: with a point where it has an exponent."""
    text = repr(value)
    mantissa, sign, exponent = text.partition("e")
    return f"{mantissa}.0e{exponent}" if sign and "." not in mantissa else text


_MARK: Final = re.compile(
    rb"(?:# yaml-language-server: [^\n]*\n)?"
    rb"# Written by reconciler import; sha256 ([0-9a-f]{64})\n"
)


class Seal(StrEnum):
    """`intact`: as we wrote it; `edited`: since; `foreign`: not ours."""

    INTACT = "intact"
    EDITED = "edited"
    FOREIGN = "foreign"


def add_seal(text: str, schema: str) -> str:
    """Put the mark, and where editors find the schema, before the text of a file."""
    digest = sha256(text.encode()).hexdigest()
    return (
        f"# yaml-language-server: $schema={schema}\n"
        f"# Written by reconciler import; sha256 {digest}\n{text}"
    )


def read_seal(data: bytes) -> Seal:
    """Tell whose file it is."""
    mark = _MARK.match(data)
    if mark is None:
        return Seal.FOREIGN
    digest = sha256(data[mark.end() :]).hexdigest()
    return Seal.INTACT if digest.encode() == mark[1] else Seal.EDITED
