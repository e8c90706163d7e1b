"""People who are not kept in Git: `People` documents to owners that every manifest may name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

from reconciler.core import codes
from reconciler.core.device import Owner
from reconciler.core.diagnostics import Diagnostic

from .documents import Document
from .messages.schema_errors import read_valid_documents
from .people import read_owner
from .result import ManifestFile, ParseResult, make_result
from .schema import Shape
from .tree import Tree


@dataclass(frozen=True, slots=True)
class ExternalPeople:
    """People by the names that are known in every manifest.

    Not `whole`: some are not known, so that an owner of whom nobody knows is no mistake. Not
    `judged`: manifests of another time are read, and need not agree with the people of now.
    """

    people: Mapping[str, Owner] = field(default_factory=dict)
    whole: bool = True
    judged: bool = True


def read_people(files: Iterable[ManifestFile], schema: bytes) -> ParseResult[Mapping[str, Owner]]:
    """Read the files of people, in their order; all their mistakes at once, and no value shown."""
    shape = Shape(schema)
    people: dict[str, Owner] = {}
    diagnostics: list[Diagnostic] = []
    for file in files:
        for document in read_valid_documents(file, shape, diagnostics):
            for name, person in _declared_people(document):
                first = people.setdefault(name, person)
                if first is not person:
                    diagnostics.append(report_person_twice(person, first))
    return make_result(people, diagnostics)


def report_person_twice(here: Owner, first: Owner) -> Diagnostic:
    """Return the complaint of a name that two people have; both places, and who neither is."""
    assert first.source is not None
    code = codes.PERSON_TWICE
    return Diagnostic(code, code.title, here.source, related=((first.source, "the other one"),))


def _declared_people(document: Document) -> Iterable[tuple[str, Owner]]:
    tree = cast("dict[str, dict[str, dict[str, Tree]]]", document.tree)
    for name, entry in tree["people"].items():
        place = document.places.key(("people", name))
        yield name, read_owner(f"{document.file}#people.{name}", entry, place)
