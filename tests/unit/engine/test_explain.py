"""Every field of every format and every diagnostic is explained, by each name it is known by."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from reconciler.core.codes import CODES
from reconciler.core.diagnostics import Code
from reconciler.core.field_doc import Field
from reconciler.core.safety import DEFAULT_BUDGETS
from reconciler.engine.explain import (
    EXPLAINED_SCHEMAS,
    UNPREFIXED,
    Unexplained,
    complete_name,
    explain,
    explained_names,
    field_guide,
    related_names,
)
from reconciler.engine.shipped_files import schema_bytes, schema_names
from reconciler.plan.glossary import TERMS, Term
from reconciler.plan.model import OTHERS_CHANGED_TOO, PATTERN, UNREADABLE, Risk
from reconciler.render import guide as render
from reconciler.render.spans import plain

ROOT: Final = Path(__file__).resolve().parent.parent.parent.parent
SCHEMAS: Final = {name: json.loads(schema_bytes(file)) for name, file in EXPLAINED_SCHEMAS.items()}


def properties(
    document: Mapping[str, Any], node: Mapping[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each property of a schema as written down there: by its path without chosen names."""
    if "$ref" in node:
        name = node["$ref"].removeprefix("#/$defs/")
        yield from properties(document, document["$defs"][name], path)
    for name, one in node.get("properties", {}).items():
        yield ".".join((*path, name)), one
        yield from properties(document, one, (*path, name))
    for keyword in ("additionalProperties", "items", "then"):
        if isinstance(node.get(keyword), dict):
            yield from properties(document, node[keyword], path)


def all_properties() -> list[tuple[str, str, Mapping[str, Any]]]:
    found = [
        (format_, path, one)
        for format_, document in SCHEMAS.items()
        for path, one in properties(document, document)
    ]
    record = SCHEMAS["state-document"]
    for part, one in record["$defs"].items():
        found += [("state-document", path, each) for path, each in properties(record, one, (part,))]
    return found


def test_every_schema_has_a_word_that_begins_its_paths() -> None:
    """A new format is explained, or this fails."""
    assert sorted(EXPLAINED_SCHEMAS.values()) == sorted(schema_names())


@pytest.mark.parametrize("format_", EXPLAINED_SCHEMAS)
def test_every_field_of_a_format_is_explained(format_: str) -> None:
    """Found by its path without the names that people choose, and said as the schema says it."""
    document = SCHEMAS[format_]
    wrong = []
    count = 0
    for of, path, one in all_properties():
        if of != format_:
            continue
        count += 1
        found = explain(f"{format_}.{path}")
        told = document["$defs"][one["$ref"].removeprefix("#/$defs/")] if "$ref" in one else one
        if not isinstance(found, Field) or found.description != told["description"]:
            wrong.append((path, found))
            continue
        text = plain(render.field_lines(found, related_names(found, path)))
        assert told["description"] in text
        assert json.loads(render.field_json(found))["description"] == told["description"]

    assert wrong == []
    assert count >= 5


def test_fields_that_people_write_need_no_word_before_them() -> None:
    """Without a prefix a path means the manifest, then the project file, then a consent."""
    taken: set[str] = set()
    for format_ in UNPREFIXED:
        for path in field_guide(format_).paths():
            if path.partition(".")[0] in taken:
                continue
            found = explain(path)
            assert isinstance(found, Field), path
            assert (found.format, found.path) == (format_, path)
        taken |= set(field_guide(format_).roots())


@pytest.mark.parametrize("code", CODES, ids=lambda code: code.id)
def test_every_diagnostic_is_explained_by_code_and_by_name(code: Code) -> None:
    """In any case of letters; with its title, why and fix."""
    assert explain(code.id) is code
    assert explain(code.id.lower()) is code
    assert explain(code.slug) is code
    text = plain(render.code_lines(code, None))
    assert all(part in text for part in (code.id, code.slug, code.title, code.why, code.fix))


def test_no_name_of_a_diagnostic_hides_a_field() -> None:
    """A field at the top of a file is found by its name."""
    slugs = {code.slug for code in CODES}

    assert slugs.isdisjoint(
        {*EXPLAINED_SCHEMAS, *(root for one in UNPREFIXED for root in field_guide(one).roots())}
    )


def test_every_name_that_is_listed_is_explained() -> None:
    """What completion offers is never unknown."""
    unknown = [name for name in explained_names() if isinstance(explain(name), Unexplained)]

    assert unknown == []


PATHS: Final = [
    ("devices.isPrimary", "manifest", "devices.ID.isPrimary"),
    ("devices.ID.isPrimary", "manifest", "devices.ID.isPrimary"),
    ("devices.8621824C-86B2-41F7-BF6F-20D3B1426005.owner", "manifest", "devices.ID.owner"),
    ("devices.*.owner.email", "manifest", "devices.ID.owner.email"),
    ("devices.<id>", "manifest", "devices.ID"),
    ("people.ana", "manifest", "people.NAME"),
    ("people.ana.phoneNumber", "manifest", "people.NAME.phoneNumber"),
    ("defaults.additionalData.shift", "manifest", "defaults.additionalData.KEY"),
    ("devices.lifecycle.ignore", "manifest", "devices.ID.lifecycle.ignore"),
    ("manifest", "manifest", ""),
    ("project", "project", ""),
    ("api.auth.apiKey", "project", "api.auth.apiKey"),
    ("project.api.auth.apiKey", "project", "api.auth.apiKey"),
    ("project.kind", "project", "kind"),
    ("safety.protect.additionalData.tier", "project", "safety.protect.additionalData.KEY"),
    ("safety.protect[0].label", "project", "safety.protect.label"),
    ("safety.protect[].label", "project", "safety.protect.label"),
    ("applications.courier.appCode", "project", "applications.NAME.appCode"),
    ("state", "project", "state"),
    ("plan.changes.fields.path", "plan", "changes.fields.path"),
]


@pytest.mark.parametrize(("name", "format_", "path"), PATHS)
def test_how_a_path_is_read(name: str, format_: str, path: str) -> None:
    """Chosen names may be left out, written, or stand as a placeholder; lists are no step."""
    found = explain(name)

    assert isinstance(found, Field), found
    assert (found.format, found.path) == (format_, path)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("devcies", "Did you mean devices?"),
        ("devices.ownr", "Did you mean devices.owner?"),
        ("devices.isprimary", "Did you mean devices.isPrimary?"),
        ("devices.owner.phone", "Did you mean devices.owner.phoneNumber?"),
        ("people.emial", "Did you mean people.email?"),
        ("isPrimary", "There is defaults.isPrimary, onDrift.isPrimary and devices.ID.isPrimary."),
        ("two-primary", "Did you mean two-primaries?"),
        ("api.limits.zzz", "Below api.limits there is get, update, personalize, depersonalize"),
        ("api.quotaShare.x", "There are no fields below api.quotaShare."),
        ("devices.isPrimary.x", "There are no fields below devices.ID.isPrimary."),
        ("E999", "What there is: reconciler explain"),
        ("..", "What there is: reconciler explain"),
        ("devices." * 5000 + "x", "Below devices.ID there is label, owner"),
        ("\x1b[31m", "What there is: reconciler explain"),
    ],
)
def test_an_unknown_name_gets_a_hint(name: str, hint: str) -> None:
    """What was probably meant, or what there is at that place."""
    found = explain(name)

    assert isinstance(found, Unexplained)
    assert found.hint.startswith(hint)


def test_what_a_field_takes_is_said() -> None:
    """Type, default, allowed values, rules and examples as YAML takes them."""
    share, drift = explain("api.quotaShare"), explain("onDrift.owner")

    assert isinstance(share, Field)
    assert isinstance(drift, Field)
    assert (share.types, share.default, share.examples) == ("a number", "0.8", ("0.8",))
    assert share.rules == ("a number is more than 0 and at most 1",)
    assert (drift.allowed, drift.default) == (("correct", "report"), '"report"')


def test_an_owner_is_explained_with_all_that_it_can_be() -> None:
    """A name, an identity in place, or null; and the fields of the identity."""
    owner = explain("devices.owner")

    assert isinstance(owner, Field)
    assert owner.types == "text, a mapping or null"
    assert [one.name for one in owner.fields][:3] == ["externalId", "phoneNumber", "email"]
    assert "null" in owner.examples


def test_every_warning_risk_and_guard_of_a_plan_is_explained() -> None:
    """Whatever the planner can say is a word that has its entry, and no entry is about nothing."""
    said = {str(risk) for risk in Risk} | {
        *DEFAULT_BUDGETS,
        PATTERN,
        OTHERS_CHANGED_TOO,
        UNREADABLE,
    }
    for file in (ROOT / "reconciler" / "plan").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="PlanWarning"), args=[ast.Constant(str(code)), *_]):
                    said.add(code)

    assert said == {term.name for term in TERMS}
    assert len(said) == len(TERMS)


@pytest.mark.parametrize("name", ["gone", "gone:courier", "GONE:courier=12"])
def test_a_guard_is_explained_as_it_was_printed(name: str) -> None:
    """With its application and its count, for that is what people copy."""
    found = explain(name)

    assert isinstance(found, Term)
    assert found.kinds == ("guard",)
    assert related_names(found, name) == ("safety.budgets.gone",)
    assert json.loads(render.term_json(found))["kind"] == "term"
    assert found.fix in plain(render.term_lines(found))


def test_a_field_of_several_files_names_the_others() -> None:
    """Which file is meant is never a secret."""
    found = explain("apiVersion")

    assert isinstance(found, Field)
    assert related_names(found, "apiVersion") == ("project.apiVersion", "consent.apiVersion")


def test_completion_goes_on_to_the_next_dot() -> None:
    """Few names at a time, as directories are completed."""
    assert complete_name("devices.o") == ["devices.owner"]
    assert "devices.owner.email" in complete_name("devices.owner.")
    assert "E204" in complete_name("e20")
    assert all(name.count(".") == 0 for name in complete_name(""))
    assert complete_name("nothing-like-it") == []


def test_the_overview_lists_everything() -> None:
    """All formats with their fields at the top, and all diagnostics."""
    roots = {one: field_guide(one).roots() for one in EXPLAINED_SCHEMAS}
    text = plain(render.overview_lines(roots, CODES, TERMS))

    assert [code.id for code in CODES if code.id not in text] == []
    assert [term.title for term in TERMS if term.title not in text] == []
    assert [root for several in roots.values() for root in several if root not in text] == []
    assert json.loads(render.overview_json(roots, CODES, TERMS))["diagnostics"][0]["code"] == "E101"
