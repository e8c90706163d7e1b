"""What `explain` says of a field, a diagnostic or a word of a plan, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict

from reconciler.core.diagnostics import Code
from reconciler.core.field_doc import Below, Field
from reconciler.plan.glossary import Term

from .spans import EMPTY, Line, Span, line

# What a format is, and how to see a whole file of it.
WRITTEN = {
    "manifest": "a manifest (kind: Devices)",
    "project": "the project file, reconciler.yaml",
    "people-from": "a file of people (kind: People)",
    "consent": "a consent (kind: Consent)",
    "plan": "a plan, as JSON",
    "drift": "the result of drift, as JSON",
    "state-document": "a state, as state pull writes it",
}
_FAMILIES = {
    "E1": "YAML text and the shape of documents",
    "E2": "Manifests",
    "E3": "The project file",
    "E4": "The plan",
    "E5": "The service",
    "E6": "The state",
    "E7": "Apply",
    "W": "Warnings",
}


def field_lines(field: Field, also: Sequence[str] = ()) -> Iterator[Line]:
    """Explain a field. `also` are other names under which such a field is explained."""
    where = f"in {WRITTEN[field.format]}" if field.path else WRITTEN[field.format]
    yield line(
        Span(field.path or field.format, "title"), f"  {field.types}", Span(f"  {where}", "dim")
    )
    if field.title and field.title != field.name:
        yield line(field.title)
    yield EMPTY
    yield line(field.description, indent=2)
    if facts := list(_facts(field)):
        yield EMPTY
        yield from _columns(facts)
    if field.fields:
        yield EMPTY
        yield line(Span("Fields", "title"))
        yield from _table(field.fields)
    yield from _see_also(also)


def field_json(field: Field, also: Sequence[str] = ()) -> str:
    """Return a field as JSON."""
    return _json({"kind": "field", **asdict(field), "seeAlso": list(also)})


def code_lines(code: Code, specimen: str | None, also: Sequence[str] = ()) -> Iterator[Line]:
    """Explain a diagnostic; `specimen` is text that provokes it."""
    style: Span = Span(code.severity.value, "error" if code.id[0] == "E" else "warning")
    yield line(Span(f"{code.id}  {code.slug}", "title"), "  ", style)
    yield from _meaning(code)
    if specimen is not None:
        yield EMPTY
        yield line(Span("For example", "title"))
        for row in specimen.rstrip("\n").split("\n"):
            yield line(row, indent=2)
    yield from _see_also(also)


def code_json(code: Code, specimen: str | None, also: Sequence[str] = ()) -> str:
    """Return a diagnostic as JSON."""
    return _json(
        {
            "kind": "diagnostic",
            "code": code.id,
            "slug": code.slug,
            "title": code.title,
            "severity": code.severity.value,
            "why": code.why,
            "fix": code.fix,
            "example": specimen,
            "seeAlso": list(also),
        }
    )


def term_lines(term: Term, also: Sequence[str] = ()) -> Iterator[Line]:
    """Explain a word of a plan."""
    yield line(Span(term.name, "title"), Span(f"  {', '.join(term.kinds)} of a plan", "dim"))
    yield from _meaning(term)
    if "guard" in term.kinds:
        yield EMPTY
        yield line(Span("A plan on which a guard trips is refused, and says the fix.", "dim"))
    yield from _see_also(also)


def term_json(term: Term, also: Sequence[str] = ()) -> str:
    """Return a word of a plan as JSON."""
    return _json({"kind": "term", **asdict(term), "seeAlso": list(also)})


def _meaning(subject: Code | Term) -> Iterator[Line]:
    yield line(subject.title)
    yield EMPTY
    yield line(Span("why", "dim"), f"  {subject.why}", indent=2)
    yield line(Span("fix", "dim"), f"  {subject.fix}", indent=2)


def _see_also(names: Sequence[str]) -> Iterator[Line]:
    if names:
        yield EMPTY
        yield line(Span(f"See also: {', '.join(names)}", "dim"))


def overview_lines(
    formats: Mapping[str, Sequence[str]], codes: Sequence[Code], terms: Sequence[Term]
) -> Iterator[Line]:
    """List what can be explained: the fields at the top of each format, diagnostics, words."""
    yield line(
        Span("Fields", "title"), "  by their path, as in devices.owner or project.api.limits"
    )
    yield EMPTY
    yield from _columns([(name, ", ".join(fields)) for name, fields in formats.items()])
    yield EMPTY
    yield line(Span("Diagnostics", "title"), "  by code or name, as in E204 or two-primaries")
    family = ""
    for code in sorted(codes, key=lambda code: code.id):
        if not code.id.startswith(family) or not family:
            family = next(
                (prefix for prefix in _FAMILIES if code.id.startswith(prefix)), code.id[:2]
            )
            yield EMPTY
            yield line(_FAMILIES.get(family, family), indent=2)
        yield line(f"{code.id}  {code.slug:<24}  {code.title}", indent=4)
    yield EMPTY
    yield line(Span("Words of a plan", "title"), "  its risks, warnings and guards")
    yield EMPTY
    width = max(len(term.name) for term in terms)
    for term in terms:
        yield line(f"{term.name:<{width}}  {term.title}", indent=4)


def overview_json(
    formats: Mapping[str, Sequence[str]], codes: Sequence[Code], terms: Sequence[Term]
) -> str:
    """Return the overview as JSON; of each format all paths."""
    listed = [{"code": code.id, "slug": code.slug, "title": code.title} for code in codes]
    words = [{"name": term.name, "kinds": term.kinds, "title": term.title} for term in terms]
    return _json({"kind": "overview", "fields": formats, "diagnostics": listed, "terms": words})


def _facts(field: Field) -> Iterator[tuple[str, str]]:
    if field.required:
        yield "required", "yes"
    if field.allowed:
        yield "allowed", ", ".join(field.allowed)
    if field.default is not None:
        yield "default", field.default
    for rule in field.rules:
        yield "rule", rule
    if field.names is not None:
        yield "names", field.names
    if field.path:
        name = "" if field.name.isupper() else f"{field.name}: "
        for example in field.examples:
            yield "example", f"{name}{example}"


def _columns(rows: Iterable[tuple[str, str]]) -> Iterator[Line]:
    listed = list(rows)
    width = max(len(name) for name, _ in listed)
    for name, text in listed:
        yield line(Span(f"{name:<{width}}", "dim"), f"  {text}", indent=2)


def _table(rows: Sequence[Below]) -> Iterator[Line]:
    width, wide = max(len(row.name) for row in rows), max(len(row.types) for row in rows)
    for row in rows:
        required = Span("required: ", "change") if row.required else ""
        yield line(
            Span(f"{row.name:<{width}}", "title"),
            Span(f"  {row.types:<{wide}}  ", "dim"),
            required,
            row.summary,
            indent=2,
        )


def _json(document: Mapping[str, object]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)
