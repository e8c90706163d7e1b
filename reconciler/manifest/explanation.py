"""Stage 1, explanation: what a schema's no means, in words, at the place of the key or value.

Values are shown only where they cannot be a person's or a secret: never below people, owners,
attributes, additionalData or auth.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from reconciler.core import codes
from reconciler.core.diagnostics import Code, Diagnostic
from reconciler.core.fields import IS_PRIMARY, OWNER, REGISTRATION_ENABLED
from reconciler.core.source import Source

from .documents import Document
from .places import Path, Tree
from .schema import Shape, Violation
from .suggestion import did_you_mean, listed

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
_TYPES: Final = {
    "string": "text",
    "number": "a number",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
    "null": "null",
}
_PRIVATE: Final = frozenset(["people", "owner", "attributes", "additionalData", "auth"])
_LONGEST_SHOWN: Final = 60


def explain(document: Document, shape: Shape, faulty: set[Source]) -> list[Diagnostic]:
    """Explain everything a schema has against a document but for what is refused already."""
    violations = list(shape.violations(document.tree))
    other = [one for one in violations if one.keyword == "const"]
    if other:
        # Another kind of document: what else this schema has against it helps nobody.
        violations = other
    misspelt = {tuple(one.path) for one in violations if one.keyword == "additionalProperties"}
    found: list[Diagnostic] = []
    for violation in violations:
        if violation.keyword == "anyOf" and tuple(violation.path) in misspelt:
            continue
        for diagnostic in _diagnostics(document, violation):
            if diagnostic.source not in faulty:
                found.append(diagnostic)
    return found


def shown(name: str, path: Path = ()) -> str:
    """Return a key for a message; cut when long, withheld when it could tell who somebody is."""
    digits = sum(sign.isdigit() for sign in name)
    if "@" in name or (digits >= 6 and not _PRIVATE.isdisjoint(path)):
        return "this key"
    if len(name) > _LONGEST_SHOWN:
        name = name[:_LONGEST_SHOWN] + "…"
    return f"`{name}`"


def _diagnostics(document: Document, violation: Violation) -> Iterator[Diagnostic]:
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
                    yield _missing(violation, str(name), places.key(path))
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
                fix="Of its fields only registrationEnabled can be set; write it in the device "
                "itself: registrationEnabled: true",
            )
        else:
            yield Diagnostic(
                codes.UNKNOWN_FIELD,
                f"Unknown field: {shown(name, path)}",
                place,
                fix=did_you_mean(name, known) or f"Known here: {listed(known)}.",
            )


def _missing(violation: Violation, name: str, place: Source) -> Diagnostic:
    known = violation.schema["properties"]
    assert isinstance(known, dict)
    return Diagnostic(
        codes.MISSING_FIELD,
        f"`{name}` is missing",
        place,
        why=_description(known[name]),
        fix=f"Add it, for example {name}: {_first_example(known[name])}",
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
        case "safety":
            return _not_yet(violation, place)
        case _:
            return _empty(violation, place)


def _bad_type(violation: Violation, place: Source) -> Diagnostic:
    path, instance = violation.path, violation.instance
    name = _last_name(path)
    number = isinstance(instance, (int, float)) and not isinstance(instance, bool)
    if name == "phoneNumber" and number:
        code = codes.UNQUOTED_PHONE_NUMBER
        return Diagnostic(code, code.title, place)
    if name == "externalId" and instance is None:
        return Diagnostic(codes.NULL_EXTERNAL_ID, codes.NULL_EXTERNAL_ID.title, place)
    expected = violation.expected
    wanted = [str(one) for one in expected] if isinstance(expected, list) else [str(expected)]
    message = f"{_subject(path)} must be {_alternatives(wanted)}, not {_kind(instance)}"
    if wanted == ["object"] and len(path) == 2 and path[0] == "devices" and instance is None:
        fix = "Write {} for a device of which nothing is managed."
    elif "string" in wanted and not isinstance(instance, (dict, list)) and instance is not None:
        fix = "Put the value in quotes."
    elif wanted == ["boolean"]:
        fix = "Write true or false, without quotes."
    elif wanted == ["number"] and isinstance(instance, str):
        fix = "Write the number without quotes."
    elif not path:
        fix = "Begin it with apiVersion, kind and what else is required."
    else:
        fix = f"Write it like this: {_example(violation)}"
    return Diagnostic(codes.WRONG_TYPE, message, place, why=_description(violation.schema), fix=fix)


def _bad_value(violation: Violation, place: Source) -> Diagnostic:
    name = _last_name(violation.path)
    match violation.keyword:
        case "const" | "enum":
            return _not_among(violation, place)
        case "not":
            return Diagnostic(codes.NULL_EXTERNAL_ID, codes.NULL_EXTERNAL_ID.title, place)
        case "maxLength":
            return _too_long(f"The value of {_quoted(violation.path)}", violation, place)
        case "minLength" | "minItems":
            return _empty(violation, place)
        case "maxItems":
            return _not_yet(violation, place)
        case "exclusiveMinimum" | "maximum" | "minimum":
            code = codes.NUMBER_OUT_OF_RANGE if _private(violation.path) else codes.LIMIT
            return Diagnostic(code, f"{_quoted(violation.path)}: {code.title.lower()}", place)
        case "uniqueItems":
            return Diagnostic(
                codes.WRONG_VALUE,
                f"{_quoted(violation.path)} holds an item twice",
                place,
                why=_description(violation.schema),
                fix="Keep one of them.",
            )
        case "pattern" if name == "ignore":
            return Diagnostic(
                codes.IGNORE_PATH, codes.IGNORE_PATH.title, place, fix=_ignore_fix(violation)
            )
        case "pattern" if name in _PATTERNS:
            return Diagnostic(_PATTERNS[name], _PATTERNS[name].title, place)
        case _:
            return Diagnostic(
                codes.WRONG_VALUE,
                f"{_quoted(violation.path)} takes no such value",
                place,
                why=_description(violation.schema),
                fix=f"Write it like this: {_example(violation)}",
            )


_PATTERNS: Final[dict[str, Code]] = {
    "phoneNumber": codes.PHONE_NUMBER,
    "email": codes.EMAIL,
}


def _ignore_fix(violation: Violation) -> str | None:
    path = str(violation.instance)
    if path.lower().startswith("additionaldata"):
        return "Name one key: additionalData.KEY"
    return did_you_mean(path, (OWNER, IS_PRIMARY, REGISTRATION_ENABLED))


def _not_among(violation: Violation, place: Source) -> Diagnostic:
    expected, instance = violation.expected, violation.instance
    values = [str(one) for one in expected] if isinstance(expected, list) else [str(expected)]
    subject = _quoted(violation.path)
    known = listed(values, "or")
    if isinstance(instance, str) and not _private(violation.path):
        message = f"{subject} is {shown(instance)}, and must be {known}"
    else:
        message = f"{subject} must be {known}"
    code = codes.WRONG_DOCUMENT if violation.keyword == "const" else codes.WRONG_VALUE
    fix = did_you_mean(instance, values) if isinstance(instance, str) else None
    if code is codes.WRONG_DOCUMENT:
        return Diagnostic(code, message, place, fix=fix)
    why = _description(violation.schema)
    return Diagnostic(code, message, place, why=why, fix=fix or f"Write {known}.")


def _too_long(subject: str, violation: Violation, place: Source) -> Diagnostic:
    assert isinstance(violation.instance, str)
    length = len(violation.instance)
    message = f"{subject} has {length} characters, and {violation.expected} is the most"
    return Diagnostic(codes.TOO_LONG, message, place)


def _empty(violation: Violation, place: Source) -> Diagnostic:
    return Diagnostic(
        codes.WRONG_VALUE,
        f"{_subject(violation.path)} is empty",
        place,
        why=_description(violation.schema),
        fix=f"Write it like this: {_example(violation)}",
    )


def _not_yet(violation: Violation, place: Source) -> Diagnostic:
    return Diagnostic(codes.NOT_YET, f"{_quoted(violation.path)} is not known yet", place)


def _private(path: Path) -> bool:
    return not _PRIVATE.isdisjoint(path)


def _last_name(path: Path) -> str:
    return next((step for step in reversed(path) if isinstance(step, str)), "")


def _quoted(path: Path) -> str:
    return shown(_last_name(path), path)


def _subject(path: Path) -> str:
    if not path:
        return "The document"
    if isinstance(path[-1], int):
        return f"An item of {_quoted(path)}"
    return _quoted(path)


def _alternatives(types: list[str]) -> str:
    words = [_TYPES[one] for one in types]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


def _kind(value: Tree) -> str:
    match value:
        case None:
            return "null (a missing value is null)"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case dict():
            return "a mapping"


def _description(schema: object) -> str | None:
    if isinstance(schema, dict):
        found = schema.get("description")
        return str(found) if found is not None else None
    return None


def _example(violation: Violation) -> str:
    """Return an example of the value, with its name unless it is an item of a list."""
    text = _first_example(violation.schema)
    last = violation.path[-1] if violation.path else None
    if not isinstance(last, str) or shown(last, violation.path) != f"`{last}`":
        return text
    return f"{last}: {text}"


def _first_example(schema: object) -> str:
    examples = schema.get("examples") if isinstance(schema, dict) else None
    return json.dumps(examples[0], ensure_ascii=False) if examples else "…"
