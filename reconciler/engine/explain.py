"""Explain a name that people type (`explain`): a field, a diagnostic, a word of a plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from reconciler.core.codes import CODES
from reconciler.core.diagnostics import Code
from reconciler.core.field_doc import Field, Missing
from reconciler.core.suggestion import closest
from reconciler.manifest.guide import Guide
from reconciler.manifest.messages.error_examples import ERROR_EXAMPLES
from reconciler.plan.glossary import BY_NAME, Term

from .shipped_files import schema_bytes

# The schema by the word that begins a path. `state` and `people` are fields of files, so the
# formats of these names are called otherwise.
EXPLAINED_SCHEMAS: Final = {
    "manifest": "devices",
    "project": "project",
    "people-from": "people",
    "consent": "consent",
    "plan": "plan",
    "drift": "drift",
    "state-document": "state",
}
# Files that people write: their fields need no word before them.
UNPREFIXED: Final = ("manifest", "project", "consent")
_FEW: Final = 4
_LONGEST: Final = 100


@dataclass(frozen=True, slots=True)
class Unexplained:
    """A name that means nothing; `hint` is a sentence about what was probably meant."""

    hint: str


@cache
def field_guide(format_: str) -> Guide:
    """Return the guide of one format."""
    return Guide(format_, schema_bytes(EXPLAINED_SCHEMAS[format_]))


def explain(name: str) -> Field | Code | Term | Unexplained:
    """Return what a name means: a diagnostic by its code or name, a field by its path, or a word of
    a plan. What was measured stays away: gone:courier=3 is gone."""
    for code in CODES:
        if name.upper() == code.id or name.lower() == code.slug:
            return code
    if term := BY_NAME.get(name.lower().partition("=")[0].partition(":")[0]):
        return term
    field = _find_field(name)
    return Unexplained(_hint(name, field)) if isinstance(field, Missing) else field


def related_names(subject: Field | Code | Term, name: str) -> tuple[str, ...]:
    """Return other names that are worth a look after this one, which was typed as `name`."""
    if isinstance(subject, Code):
        return _fields_called(subject.slug)
    if isinstance(subject, Term):
        return _fields_called(subject.name)
    path = name.partition(".")[2] if name.partition(".")[0] in EXPLAINED_SCHEMAS else name
    return tuple(
        f"{format_}.{path}"
        for format_ in UNPREFIXED
        if subject.name
        and format_ != subject.format
        and isinstance(field_guide(format_).find(path), Field)
    )


def provoking_text(code: Code) -> str | None:
    """Return the least text of a file that provokes a diagnostic, where there is one."""
    return ERROR_EXAMPLES.get(code.id)


def explained_names() -> Iterator[str]:
    """Yield every name that is explained: paths with placeholders, codes and their names."""
    for format_ in EXPLAINED_SCHEMAS:
        yield format_
        for path in field_guide(format_).paths():
            yield f"{format_}.{path}"
            if format_ in UNPREFIXED:
                yield path
    for code in CODES:
        yield code.id
        yield code.slug
    yield from BY_NAME


def complete_name(incomplete: str) -> list[str]:
    """Return how a name that is being typed may go on, up to its next dot."""
    depth = incomplete.count(".")
    folded = incomplete.lower()
    continued = {
        ".".join(name.split(".")[: depth + 1])
        for name in _typed_names()
        if name.lower().startswith(folded)
    }
    return sorted(continued)


def _typed_names() -> Iterator[str]:
    """Yield the names as they are typed: without the placeholders that may be left out."""
    for name in explained_names():
        yield ".".join(step for step in name.split(".") if step not in ("ID", "NAME", "KEY"))


def _find_field(name: str) -> Field | Missing:
    first, _, rest = name.partition(".")
    if first in EXPLAINED_SCHEMAS and not (
        first in UNPREFIXED and first in field_guide(first).roots()
    ):
        return field_guide(first).find(rest)
    for format_ in UNPREFIXED:
        if first in field_guide(format_).roots():
            return field_guide(format_).find(name)
    roots = {root for format_ in UNPREFIXED for root in field_guide(format_).roots()}
    return Missing("", first, "", tuple(sorted({*roots, *EXPLAINED_SCHEMAS})))


def _hint(name: str, missing: Missing) -> str:
    known = missing.known
    if not missing.format:
        if fields := _fields_called(name):
            return f"There is {_join(fields)}."
        known = (*known, *(code.id for code in CODES), *(code.slug for code in CODES), *BY_NAME)
    close = closest(missing.name, known)
    if close is not None:
        corrected = [close if step == missing.name else step for step in name.split(".")]
        whole = ".".join(corrected)
        return f"Did you mean {whole if len(whole) <= _LONGEST else close}?"
    if fields := _fields_called(name.rpartition(".")[2]):
        return f"There is {_join(fields)}."
    if missing.known and missing.format:
        where = f"Below {missing.below}" if missing.below else f"In {missing.format}"
        return f"{where} there is {_join(missing.known)}."
    if missing.below:
        return f"There are no fields below {missing.below}."
    return "What there is: reconciler explain"


def _fields_called(name: str) -> tuple[str, ...]:
    """Return the paths of the fields of files with this name, the shortest first."""
    paths = [
        path if format_ == "manifest" or path.count(".") else f"{format_}.{path}"
        for format_ in UNPREFIXED
        for path in field_guide(format_).paths()
        if path.rpartition(".")[2].lower() == name.lower()
    ]
    return tuple(sorted(paths, key=lambda path: (path.count("."), path))[:_FEW])


def _join(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
