"""Schema errors as diagnostics: what a violation means, at the place of its key or value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from reconciler.core import codes
from reconciler.core.diagnostics import Code, Diagnostic
from reconciler.core.fields import FIELD_BY_PATH, FIELDS, OWNER, SYSTEM_DATA
from reconciler.core.safety import DEFAULT_BUDGETS
from reconciler.core.source import Source
from reconciler.core.suggestion import did_you_mean, joined, listed
from reconciler.manifest.documents import Document, read_documents
from reconciler.manifest.result import ManifestFile
from reconciler.manifest.schema import Shape, Violation

from .field_text import (
    example_of,
    field_as_subject,
    first_example,
    is_private,
    kind_in_words,
    nearest_key,
    schema_description,
    show_field,
    show_key,
    types_in_words,
)

_SYSTEM: Final = [one.path for one in FIELDS if one.wire[0] == SYSTEM_DATA]
_SYSTEM_DATA_FIX: Final = (
    f"Of its fields only {joined(_SYSTEM)} can be set; write it in the device itself: "
    f"{_SYSTEM[0]}: true"
)
READ_ONLY: Final = frozenset(
    [
        "registrationId",
        "applicationId",
        "notificationsEnabled",
        "geofencingSdk",
        "sdkVersion",
        "appVersion",
        "os",
        "osVersion",
        "deviceManufacturer",
        "deviceModel",
        "deviceSecure",
        "osLanguage",
        "deviceTimezoneOffset",
        "deviceName",
        "cloudType",
    ]
)


def read_valid_documents(
    file: ManifestFile, shape: Shape, diagnostics: list[Diagnostic]
) -> Iterator[Document]:
    """Yield the documents of a file that a schema accepts; add what is wrong with the others."""
    read = read_documents(file.path, file.data)
    diagnostics += read.diagnostics
    for document in read.documents:
        if shape.accepts(document.tree):
            yield document
        else:
            diagnostics += explain_violations(document, shape, read.faulty)


def explain_violations(document: Document, shape: Shape, faulty: set[Source]) -> list[Diagnostic]:
    """Explain everything a schema has against a document but for what is refused already."""
    violations = list(shape.violations(document.tree))
    wrong_kind = [violation for violation in violations if violation.keyword == "const"]
    if wrong_kind:
        # Another kind of document: what else this schema has against it helps nobody.
        violations = wrong_kind
    misspelt = {
        tuple(violation.path)
        for violation in violations
        if violation.keyword == "additionalProperties"
    }
    diagnostics: list[Diagnostic] = []
    for violation in violations:
        if violation.keyword == "anyOf" and tuple(violation.path) in misspelt:
            continue
        for diagnostic in _explain_violation(document, violation):
            if diagnostic.source not in faulty:
                diagnostics.append(diagnostic)
    return diagnostics


def _explain_violation(document: Document, violation: Violation) -> Iterator[Diagnostic]:
    places = document.places
    path = violation.path
    match violation.keyword:
        case "additionalProperties":
            yield from _unknown_fields(document, violation)
        case "required":
            assert isinstance(violation.expected, list)
            assert isinstance(violation.instance, dict)
            for name in violation.expected:
                if name not in violation.instance:
                    yield _missing_field(violation, str(name), places.key(path))
        case _ if violation.of_key:
            yield _bad_key(violation, places.key(path))
        case "anyOf":
            yield Diagnostic(codes.NO_IDENTITY, codes.NO_IDENTITY.title, places.key(path))
        case "minProperties" | "maxProperties":
            yield _bad_size(violation, places.key(path))
        case "type":
            yield _bad_type(violation, places.value(path))
        case _:
            yield _bad_value(violation, places.value(path))


def _unknown_fields(document: Document, violation: Violation) -> Iterator[Diagnostic]:
    known = violation.schema["properties"]
    assert isinstance(known, dict)
    assert isinstance(violation.instance, dict)
    for name in violation.instance:
        if name in known:
            continue
        path = [*violation.path, name]
        place = document.places.key(path)
        if name in READ_ONLY and "owner" in known:
            yield Diagnostic(codes.READ_ONLY_FIELD, f"`{name}` cannot be written", place)
        elif name == "systemData" and "owner" in known:
            yield Diagnostic(
                codes.READ_ONLY_FIELD,
                "`systemData` cannot be written",
                place,
                fix=_SYSTEM_DATA_FIX,
            )
        else:
            yield Diagnostic(
                codes.UNKNOWN_FIELD,
                f"Unknown field: {show_key(name, path)}",
                place,
                fix=did_you_mean(name, known) or f"Known here: {listed(known)}.",
            )


def _missing_field(violation: Violation, name: str, place: Source) -> Diagnostic:
    known = violation.schema["properties"]
    assert isinstance(known, dict)
    return Diagnostic(
        codes.MISSING_FIELD,
        f"`{name}` is missing",
        place,
        why=schema_description(known[name]),
        fix=f"Add it, for example {name}: {first_example(known[name])}",
    )


def _bad_key(violation: Violation, place: Source) -> Diagnostic:
    section = violation.path[-2] if len(violation.path) > 1 else ""
    if violation.keyword == "maxLength":
        return _too_long("The name", violation, place)
    if violation.keyword == "pattern":
        match section:
            case "devices" | "removed":
                code = codes.REGISTRATION_ID
            case "applications":
                code = codes.APPLICATION_NAME
            case "accept":
                fix = f"Write {listed([*DEFAULT_BUDGETS], 'or')}; of gone with its application."
                message = f"There is no guard {show_field(violation.path)}"
                return Diagnostic(codes.WRONG_VALUE, message, place, fix=fix)
            case _:
                code = codes.PERSON_NAME
        return Diagnostic(code, code.title, place)
    return Diagnostic(codes.WRONG_VALUE, "The name is empty", place, why=_WHY_EMPTY, fix=_FIX_EMPTY)


_WHY_EMPTY: Final = "An empty text says nothing."
_FIX_EMPTY: Final = "Fill it, or remove the line."


def _bad_size(violation: Violation, place: Source) -> Diagnostic:
    match violation.path[-1]:
        case "auth":
            return Diagnostic(codes.AUTH, codes.AUTH.title, place)
        case _:
            return _empty(violation, place)


def _bad_type(violation: Violation, place: Source) -> Diagnostic:
    path, instance = violation.path, violation.instance
    name = nearest_key(path)
    number = isinstance(instance, (int, float)) and not isinstance(instance, bool)
    if name == "phoneNumber" and number:
        code = codes.UNQUOTED_PHONE_NUMBER
        return Diagnostic(code, code.title, place)
    if name == "externalId" and instance is None:
        return Diagnostic(codes.NULL_EXTERNAL_ID, codes.NULL_EXTERNAL_ID.title, place)
    expected = violation.expected
    wanted = [str(type_) for type_ in expected] if isinstance(expected, list) else [str(expected)]
    message = (
        f"{field_as_subject(path)} must be {types_in_words(wanted)}, not {kind_in_words(instance)}"
    )
    if wanted == ["object"] and len(path) == 2 and path[0] == "devices" and instance is None:
        fix = "Write {} for a device of which nothing is managed."
    elif (
        "string" in wanted
        and "integer" not in wanted
        and not isinstance(instance, (dict, list))
        and instance is not None
    ):
        fix = "Put the value in quotes."
    elif wanted == ["boolean"]:
        fix = "Write true or false, without quotes."
    elif wanted == ["number"] and isinstance(instance, str):
        fix = "Write the number without quotes."
    elif not path:
        fix = "Begin it with apiVersion, kind and what else is required."
    else:
        fix = f"Write it like this: {example_of(violation)}"
    return Diagnostic(
        codes.WRONG_TYPE, message, place, why=schema_description(violation.schema), fix=fix
    )


def _bad_value(violation: Violation, place: Source) -> Diagnostic:
    name = nearest_key(violation.path)
    match violation.keyword:
        case "const" | "enum":
            return _not_allowed(violation, place)
        case "not":
            return Diagnostic(codes.NULL_EXTERNAL_ID, codes.NULL_EXTERNAL_ID.title, place)
        case "maxLength":
            return _too_long(f"The value of {show_field(violation.path)}", violation, place)
        case "minLength" | "minItems":
            return _empty(violation, place)
        case "exclusiveMinimum" | "maximum" | "minimum" if name not in _OWN_RANGE:
            code = codes.NUMBER_OUT_OF_RANGE if is_private(violation.path) else codes.LIMIT
            return Diagnostic(code, f"{show_field(violation.path)}: {code.title.lower()}", place)
        case "uniqueItems":
            return Diagnostic(
                codes.WRONG_VALUE,
                f"{show_field(violation.path)} holds an item twice",
                place,
                why=schema_description(violation.schema),
                fix="Keep one of them.",
            )
        case "pattern" if name == "ignore":
            return Diagnostic(
                codes.IGNORE_PATH, codes.IGNORE_PATH.title, place, fix=_ignore_fix(violation)
            )
        case "pattern" if name == "hide":
            return Diagnostic(codes.HIDE_PATH, codes.HIDE_PATH.title, place)
        case "pattern" if name in _PATTERNS:
            return Diagnostic(_PATTERNS[name], _PATTERNS[name].title, place)
        case _:
            return Diagnostic(
                codes.WRONG_VALUE,
                f"{show_field(violation.path)} takes no such value",
                place,
                why=schema_description(violation.schema),
                fix=f"Write it like this: {example_of(violation)}",
            )


# Numbers that are no requests a second: their own description says what they can be.
_OWN_RANGE: Final = frozenset(["timeout", *DEFAULT_BUDGETS])
_PATTERNS: Final[dict[str, Code]] = {
    "phoneNumber": codes.PHONE_NUMBER,
    "email": codes.EMAIL,
}


def _ignore_fix(violation: Violation) -> str | None:
    path = str(violation.instance)
    if path.lower().startswith("additionaldata"):
        return "Name one key: additionalData.KEY"
    return did_you_mean(path, (OWNER, *FIELD_BY_PATH))


def _not_allowed(violation: Violation, place: Source) -> Diagnostic:
    expected, instance = violation.expected, violation.instance
    values = [str(value) for value in expected] if isinstance(expected, list) else [str(expected)]
    subject = show_field(violation.path)
    known = listed(values, "or")
    if isinstance(instance, str) and not is_private(violation.path):
        message = f"{subject} is {show_key(instance)}, and must be {known}"
    else:
        message = f"{subject} must be {known}"
    code = codes.WRONG_DOCUMENT if violation.keyword == "const" else codes.WRONG_VALUE
    fix = did_you_mean(instance, values) if isinstance(instance, str) else None
    if code is codes.WRONG_DOCUMENT:
        return Diagnostic(code, message, place, fix=fix)
    why = schema_description(violation.schema)
    return Diagnostic(code, message, place, why=why, fix=fix or f"Write {known}.")


def _too_long(subject: str, violation: Violation, place: Source) -> Diagnostic:
    assert isinstance(violation.instance, str)
    length = len(violation.instance)
    message = f"{subject} has {length} characters, and {violation.expected} is the most"
    return Diagnostic(codes.TOO_LONG, message, place)


def _empty(violation: Violation, place: Source) -> Diagnostic:
    return Diagnostic(
        codes.WRONG_VALUE,
        f"{field_as_subject(violation.path)} is empty",
        place,
        why=schema_description(violation.schema),
        fix=f"Write it like this: {example_of(violation)}",
    )
