"""Parse the body of an error answer, in any of its shapes, and redact what must not show.

Every member is read leniently: of another type, nested or huge it says less, and what stands beside
it is read all the same. Which fields were refused is told by their names, which are no personal
data; why is a text of the service, and redacted like all others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

_LONGEST: Final = 200
# Of a longer text the beginning is read: a line is shown, and patterns take their time.
_LONGEST_READ: Final = 4000
# What may be a piece of an identity value at the end of a text that was cut.
_LONGEST_IDENTITY: Final = 256
_MOST_FIELDS: Final = 5
_MOST_COUNTED: Final = 1000
_DEEPEST: Final = 6
_MOST_WORDS_OF_A_VALUE: Final = 2
_EMAIL_SIGN: Final = r"[^\s\"'<>(){}\[\],;:=]"
# Begins where no address can have begun before: else a long word takes quadratic time.
_EMAIL: Final = re.compile(rf"(?<!{_EMAIL_SIGN}){_EMAIL_SIGN}+@{_EMAIL_SIGN}+")
# Digits as phone numbers have them; error codes are shorter. Not inside a word or an id.
_PHONE: Final = re.compile(r"(?<![\w-])\+?\d[\d ()/.-]{5,}\d(?![\w-])")
_HIDDEN: Final = "<hidden>"
# An error by name, perhaps after its number, at the beginning of a text: some answers say it there.
_NAMED: Final = re.compile(r"\s*(?:(\d{5})[\s:,.-]+)?([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?![\w-])")
_FIELD_NAME: Final = re.compile(r"[A-Za-z_$/][\w.$/\[\]*-]{0,99}")
_LARGEST_CODE_DIGITS: Final = 20
_CODES: Final = ("errorCode", "code", "messageId", "error")
_TEXTS: Final = ("errorMessage", "message", "text", "description", "action", "error_description")
# Whether a text beside the name of a field is surely why it was refused: in details it may be the
# value of the field, and then only a sentence is shown.
_COMPLAINTS: Final = (("validationErrors", True), ("violations", True), ("details", False))
_FIELD_NAMES: Final = ("property", "field", "path", "parameter", "name")
_FIELD_REASONS: Final = (
    "violation", "message", "reason", "errorMessage", "text", "description", "error"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """`codes` are the error codes, message ids and names of errors as text; `text` is for people
    to read: the codes, what the service says, and which fields it refused and why."""

    codes: frozenset[str]
    text: str


def parse_error_body(body: bytes, hide: Iterable[str]) -> ErrorBody | None:
    """Read the body of an error answer; None if it is not one. `hide` lists what must not show."""
    try:
        # Not msgspec: half of a surrogate pair in some text does not make the error another one.
        document = json.loads(body, parse_int=_parse_integer)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    hidden = tuple(hide)
    parts = tuple(_parts(document))
    codes = list(dict.fromkeys(code for part in parts for code in _codes(part)))
    texts = list(dict.fromkeys(text for part in parts for text in _read_texts(part, _TEXTS)))
    line = redact(" ".join(dict.fromkeys((*codes, *texts))), hidden)
    complaints = (complaint for part in parts for complaint in _complaints(part))
    fields = list(dict.fromkeys(islice(complaints, _MOST_COUNTED)))
    shown = [redact(field, hidden) for field in fields[:_MOST_FIELDS]]
    if len(fields) > _MOST_FIELDS:
        shown.append(f"and {len(fields) - _MOST_FIELDS} more")
    refused = f"refused: {'; '.join(shown)}" if shown else ""
    named = {name for text in texts for name in _names_in(text)}
    return ErrorBody(frozenset(codes) | named, "; ".join(filter(None, (line, refused))))


def _parse_integer(digits: str) -> int:
    """Read a number; one that is no code is nothing, and takes no time."""
    return int(digits) if len(digits) <= _LARGEST_CODE_DIGITS else 0


def _parts(document: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """Yield the objects that say what went wrong: the whole, and what older shapes wrap it in."""
    yield document
    wrapped = document.get("requestError")
    if isinstance(wrapped, dict):
        yield wrapped
        exception = wrapped.get("serviceException")
        if isinstance(exception, dict):
            yield exception


def _codes(part: Mapping[str, object]) -> Iterator[str]:
    for name in _CODES:
        match part.get(name):
            case str() as text if 0 < len(text.strip()) <= _LONGEST:
                yield text.strip()
            case bool():
                continue
            case int() as number if number:
                yield str(number)
            case float() as number if number.is_integer() and number:
                yield str(int(number))
            case _:
                continue


def _read_texts(part: Mapping[str, object], names: Iterable[str]) -> Iterator[str]:
    for name in names:
        text = part.get(name)
        if isinstance(text, str) and text.strip():
            yield text[: _LONGEST_READ + 1]


def _names_in(text: str) -> Iterator[str]:
    named = _NAMED.match(text)
    return iter(()) if named is None else (name for name in named.groups() if name)


def _complaints(part: Mapping[str, object]) -> Iterator[str]:
    """Yield what is said of the fields that were refused: `name: why`."""
    for name, is_reason in _COMPLAINTS:
        yield from _complaints_of(part.get(name), "", is_reason, 0)


def _complaints_of(value: object, field: str, is_reason: bool, depth: int) -> Iterator[str]:
    """Read a complaint, a list of them, or an object of them by the name of the field."""
    if depth > _DEEPEST:
        return
    match value:
        case str() if value.strip() and (is_reason or not field or _is_sentence(value)):
            reason = value[: _LONGEST_READ + 1]
            yield f"{field}: {reason}" if field else reason
        case list():
            for item in value:
                yield from _complaints_of(item, field, is_reason, depth + 1)
        case dict() if named := next(_read_texts(value, _FIELD_NAMES), None):
            path = _path(field, named)
            reason = next(_read_texts(value, _FIELD_REASONS), "")
            yield f"{path}: {reason}" if reason else path
        case dict():
            for name, inner in value.items():
                path = _path(field, name)
                complaints = _complaints_of(inner, path, is_reason, depth + 1)
                # What says nothing more still names the field.
                first = next(complaints, path)
                yield first
                yield from complaints
        case _:
            return


def _is_sentence(text: str) -> bool:
    """Whether a text is words or the name of an error, which no value of a field looks like."""
    return len(text.split()) > _MOST_WORDS_OF_A_VALUE or _NAMED.fullmatch(text) is not None


def _path(field: str, name: str) -> str:
    """Return the path of a field; a name that is none may be a value, and is not shown."""
    shown = name if _FIELD_NAME.fullmatch(name) else "(a field)"
    return f"{field}.{shown}" if field else shown


def redact(text: str, hide: Iterable[str]) -> str:
    """Return a foreign text that can be shown: one short line, no hidden value, no e-mail or phone.

    The service may echo what we sent, or name somebody we do not know.
    """
    values = sorted({value for value in hide if value}, key=len, reverse=True)
    is_cut = len(text) > _LONGEST_READ
    text = text[:_LONGEST_READ]
    for value in values:
        text = re.sub(_pattern(value), _HIDDEN, text, flags=re.IGNORECASE)
    text = _PHONE.sub(_HIDDEN, _EMAIL.sub(_HIDDEN, text))
    if is_cut:
        # The cut may go through a value, whose first half no pattern knows.
        longest = max((_LONGEST_IDENTITY, *map(len, values)))
        text = text[: max(len(text) - longest, 0)] + "…"
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def _pattern(value: str) -> str:
    """Match a value anywhere; a short one only as a word, or it would eat the text around it."""
    exact = re.escape(value)
    return exact if len(value) >= 6 else rf"(?<!\w){exact}(?!\w)"
