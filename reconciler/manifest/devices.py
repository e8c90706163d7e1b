"""Manifests: `Devices` documents to desired state, defaults merged in.

All mistakes of all files at once: what is wrong with one entry hides nothing about the others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar, cast

from msgspec.structs import replace

from reconciler.core import codes
from reconciler.core.absent import ABSENT, Absent
from reconciler.core.device import Desired, DesiredDevice, Lifecycle, OnRemove, Owner, Removal
from reconciler.core.diagnostics import Code, Diagnostic
from reconciler.core.fields import FIELD_BY_PATH, FIELDS, IS_PRIMARY, Scalar
from reconciler.core.project import Project
from reconciler.core.source import Source
from reconciler.core.suggestion import closest, did_you_mean, listed

from .documents import Document, read_documents
from .external_people import ExternalPeople, report_person_twice
from .messages.field_text import show_key
from .messages.schema_errors import explain_violations
from .people import read_owner
from .result import ManifestFile, ParseResult, make_result
from .rules import Declared, check_across_files
from .schema import Schemas
from .tree import Tree
from .yaml_events import FASTEST, Opener

_NO_LIFECYCLE: Final = Lifecycle()
_NOBODY: Final = ExternalPeople()
# Looking for what was meant costs milliseconds; nobody reads hundreds of suggestions.
_SUGGESTIONS: Final = 100
_Map = dict[str, Tree]
_T = TypeVar("_T")


def read_manifests(
    files: Iterable[ManifestFile],
    project: Project,
    schemas: Schemas,
    opener: Opener = FASTEST,
    outside: ExternalPeople = _NOBODY,
) -> ParseResult[Desired]:
    """Read all manifests. `files` may be lazy: one file's bytes are needed at a time.

    `outside` are the people whom every manifest may name.
    """
    declared = Declared(outside, pinned=project.api.assume)
    for file in files:
        read = read_documents(file.path, file.data, opener)
        declared.diagnostics += read.diagnostics
        named: set[str] = set()
        for document in read.documents:
            sound = document.tree
            if not schemas.devices.accepts(document.tree):
                declared.diagnostics += explain_violations(document, schemas.devices, read.faulty)
                sound = schemas.devices.sound(document.tree)
            if isinstance(sound, dict):
                _Manifest(document, sound, project, declared, named).declare()
        # The trees are large, and their places hold them: let go of one file before the next.
        del read
    check_across_files(declared)
    desired = Desired(_sorted(declared.devices), _sorted(declared.removed))
    return make_result(desired, declared.diagnostics)


def _sorted(entries: Mapping[str, _T]) -> dict[str, _T]:
    return {key: entries[key] for key in sorted(entries)}


@dataclass(slots=True)
class _Defaults:
    """What `defaults:` gives to each device of a document."""

    owner: Owner | Absent | None = ABSENT
    fields: _Map = field(default_factory=dict)
    additional_data: Mapping[str, Scalar | None] = field(default_factory=dict)
    lifecycle: _Map = field(default_factory=dict)


class _Manifest:
    """One document on its way into what is declared.

    `sound` is its tree without the entries that are explained already; places are asked of the
    whole tree.
    """

    def __init__(
        self,
        document: Document,
        sound: _Map,
        project: Project,
        declared: Declared,
        named: set[str],
    ) -> None:
        assert isinstance(document.tree, dict)
        self.document = document
        self.whole = document.tree
        self.sound = sound
        self.places = document.places
        self.project = project
        self.declared = declared
        self.named = named
        self.application = str(sound.get("application", ""))
        self.people: dict[str, Owner] = {}
        self.suggestions: dict[str, str | None] = {}

    def declare(self) -> None:
        """Add everything this document declares, and complain of what names nothing."""
        self._check_application()
        self._declare_people()
        defaults = self._defaults()
        devices, removed = self.whole.get("devices"), self.whole.get("removed")
        if not devices and not removed:
            self._complain(codes.EMPTY_MANIFEST, self.places.value(()))
        lines = self.places.lines
        sound_devices = self._section("devices")
        if isinstance(devices, dict):
            starts = self.places.marks[id(devices)][::2]
            for start, registration in zip(starts, devices, strict=True):
                raw = sound_devices.get(registration)
                if isinstance(raw, dict):
                    self._declare_device(registration, raw, lines.source(start), defaults)
        for registration, on_remove in self._section("removed").items():
            source = self.places.key(("removed", registration))
            self.declared.add_removal(
                Removal(registration, self.application, OnRemove(str(on_remove)), source)
            )

    def _section(self, name: str) -> _Map:
        section = self.sound.get(name)
        return section if isinstance(section, dict) else {}

    def _complain(self, code: Code, place: Source, fix: str | None = None) -> None:
        self.declared.diagnostics.append(Diagnostic(code, code.title, place, fix=fix))

    def _check_application(self) -> None:
        name = self.sound.get("application")
        if not isinstance(name, str) or name in self.project.applications:
            return
        known = self.project.applications
        self.declared.diagnostics.append(
            Diagnostic(
                codes.UNKNOWN_APPLICATION,
                f"The project has no application {show_key(name)}",
                self.places.value(("application",)),
                fix=did_you_mean(name, known)
                or f"The project has {listed(known)}; correct the name, or add the application.",
            )
        )

    def _declare_people(self) -> None:
        outside = self.declared.outside
        for name, entry in self._section("people").items():
            assert isinstance(entry, dict)
            person = read_owner(
                self._pointer(f"people.{name}", name),
                entry,
                self.places.key(("people", name)),
            )
            self.people[name] = person
            self.declared.add_person(person, name)
            other = outside.people.get(name) if outside.judged else None
            if other is not None:
                self.declared.diagnostics.append(report_person_twice(person, other))

    def _pointer(self, path: str, name: str) -> str:
        """Name a declaration; a name that an earlier document of the file has, by its number."""
        if name in self.named:
            path = f"document{self.document.number}.{path}"
        self.named.add(name)
        return f"{self.document.file}#{path}"

    def _defaults(self) -> _Defaults:
        raw = self.sound.get("defaults")
        if not isinstance(raw, dict):
            return _Defaults()
        lifecycle = raw.get("lifecycle")
        default_owner: Owner | Absent | None = ABSENT
        if "owner" in raw:
            pointer = self._pointer("defaults.owner", "defaults.owner")
            default_owner = self._owner(raw, pointer)
        return _Defaults(
            default_owner,
            {path: raw[path] for path in FIELD_BY_PATH if path in raw},
            cast("dict[str, Scalar | None]", raw.get("additionalData", {})),
            lifecycle if isinstance(lifecycle, dict) else {},
        )

    def _declare_device(
        self, registration: str, raw: _Map, source: Source, defaults: _Defaults
    ) -> None:
        get = raw.get
        data = defaults.additional_data
        if own := cast("dict[str, Scalar | None] | None", get("additionalData")):
            data = {**data, **own}
        if "owner" in raw:
            pointer = f"{self.document.file}#devices.{registration}.owner"
            device_owner = self._owner(raw, pointer)
        else:
            device_owner = defaults.owner
        lifecycle = _NO_LIFECYCLE
        if defaults.lifecycle or "lifecycle" in raw:
            lifecycle = _make_lifecycle({**defaults.lifecycle, **cast(_Map, get("lifecycle", {}))})
        device = DesiredDevice(
            registration,
            self.application,
            source,
            cast("str | None", get("label")),
            device_owner,
            additional_data=data,
            lifecycle=lifecycle,
        )
        given = {**defaults.fields, **raw}
        values = {one.attribute: given[one.path] for one in FIELDS if one.path in given}
        device = replace(device, **values) if values else device
        self.declared.add_device(device)
        if device.is_primary is True and isinstance(device_owner, Owner):
            place = self.places.value_in(raw, IS_PRIMARY) if IS_PRIMARY in raw else source
            self.declared.add_primary(device_owner, device, place)

    def _owner(self, raw: _Map, pointer: str) -> Owner | Absent | None:
        """Return the owner that a device or the defaults name or write in place."""
        match raw["owner"]:
            case None:
                return None
            case str() as name:
                if name in self.people:
                    return self.people[name]
                outside = self.declared.outside
                if name in outside.people:
                    return outside.people[name]
                if outside.whole and name not in self._all_people():
                    self._unknown_person(name, self.places.value_in(raw, "owner"))
                return ABSENT
            case dict() as entry:
                person = read_owner(pointer, entry, self.places.value_in(raw, "owner"))
                self.declared.add_person(person, None)
                return person
            case _:
                return ABSENT

    def _all_people(self) -> Collection[str]:
        people = self.whole.get("people")
        return people if isinstance(people, dict) else ()

    def _known_people(self) -> Collection[str]:
        return [*self._all_people(), *self.declared.outside.people]

    def _unknown_person(self, name: str, place: Source) -> None:
        # The name is not shown: it may be an identity value that was written for a name.
        if name not in self.suggestions and len(self.suggestions) < _SUGGESTIONS:
            self.suggestions[name] = closest(name, self._known_people())
        meant = self.suggestions.get(name)
        self._complain(
            codes.UNKNOWN_PERSON,
            place,
            None if meant is None else f"Did you mean {show_key(meant)}?",
        )


def _make_lifecycle(merged: _Map) -> Lifecycle:
    if not merged or merged == {"protect": False}:
        return _NO_LIFECYCLE
    on_remove = merged.get("onRemove")
    return Lifecycle(
        bool(merged.get("protect", False)),
        frozenset(cast("list[str]", merged.get("ignore", []))),
        None if on_remove is None else OnRemove(str(on_remove)),
    )
