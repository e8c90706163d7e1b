"""Parse a fault spec; ValueError says what is wrong with one, and what would be right.

A spec is `OPERATION:EFFECT[@WHEN][,OPTION]...`, such as `get:503@5%` or `update:hang@#7,after`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from reconciler.core.suggestion import closest
from reconciler.platform.operations import WRITES, Operation
from reconciler.platform.world import Registration

from .external_change import patch_registration
from .fault import SHIFTS, TOKEN, Effect, Fault, Numbers, RetryAfter, Share

_READS: Final = frozenset(operation.value for operation in set(Operation) - WRITES)
# A match is about many at once, so that none of them is what it is about.
_ABOUT_NO_DEVICE: Final = frozenset({TOKEN, Operation.MATCH.value})
_WRITES: Final = frozenset(operation.value for operation in WRITES)
OPERATIONS: Final[Mapping[str, frozenset[str]]] = {
    **{operation.value: frozenset({operation.value}) for operation in Operation},
    TOKEN: frozenset({TOKEN}),
    "reads": _READS,
    "writes": _WRITES,
    "any": _READS | _WRITES | {TOKEN},
}
_NAMES: Final = tuple(effect.value for effect in Effect if effect is not Effect.STATUS)
_USUAL: Final = frozenset({Effect.DRIP, Effect.RIVAL}) | SHIFTS
# Which effects an option means something to.
_OPTIONS: Final[Mapping[str, tuple[Effect, ...]]] = {
    "after": tuple(effect for effect in Effect if effect not in _USUAL),
    "html": (Effect.STATUS,),
    "retry-after": (Effect.STATUS,),
    "seconds": (Effect.HANG, Effect.DRIP, Effect.DELAY),
    "device": tuple(effect for effect in Effect if effect not in SHIFTS),
    "set": (Effect.RIVAL,),
}
_SHAPE: Final = "a fault is OPERATION:EFFECT[@WHEN][,OPTION]..., such as get:503@5%"
_WHEN: Final = re.compile(
    r"(?P<share>\d{1,3}(\.\d{1,9})?)%|#(?P<first>\d{1,9})((?P<on>\+)|-(?P<last>\d{1,9}))?", re.ASCII
)
_RETRY: Final = re.compile(r"(?P<date>date:)?(?P<seconds>\d{1,6})", re.ASCII)
_LONGEST: Final = 86_400.0


def read_fault(spec: str) -> Fault:
    """Read a spec; ValueError where it is none."""
    try:
        return _parse(spec)
    except ValueError as error:
        raise ValueError(f"{spec}: {error}") from None


def _parse(spec: str) -> Fault:
    operation, colon, rest = spec.partition(":")
    if not colon:
        raise ValueError(_SHAPE)
    if operation not in OPERATIONS:
        raise ValueError(_explain_unknown("operation", operation, OPERATIONS))
    effect_when, comma, options = rest.partition(",")
    name, at, when = effect_when.partition("@")
    effect, status = _parse_effect(name)
    operations = OPERATIONS[operation]
    _check_subject(effect, operation, operations)
    given = _parse_options(options, effect, name) if comma else {}
    if "device" in given and operations <= _ABOUT_NO_DEVICE:
        raise ValueError(f"device= means nothing to {operation}, which is about no registration")
    return Fault(
        spec,
        operations,
        effect,
        status,
        _parse_when(when) if at else Numbers(),
        "after" in given,
        "html" in given,
        _parse_retry_after(given["retry-after"]) if "retry-after" in given else None,
        _parse_seconds(given["seconds"]) if "seconds" in given else None,
        given.get("device"),
        _parse_merge_patch(given["set"]) if "set" in given else None,
    )


def _parse_effect(name: str) -> tuple[Effect, int]:
    if name.isascii() and name.isdigit():
        if len(name) != 3 or not 300 <= int(name) <= 599:
            raise ValueError(
                f"{name} is no status of a fault; from 300 to 599; for an answer "
                "with 200 that cannot be read: empty, garbage, html or wrong-type"
            )
        return Effect.STATUS, int(name)
    if name not in _NAMES:
        known = ("a status such as 503", *_NAMES)
        raise ValueError(_explain_unknown("effect", name, _NAMES, known))
    return Effect(name), 200


def _check_subject(effect: Effect, operation: str, operations: frozenset[str]) -> None:
    if effect in SHIFTS and Operation.PERSONS.value not in operations:
        raise ValueError(f"{effect.value} is for pages of people: persons:{effect.value}")
    if effect is Effect.RIVAL and operations <= _ABOUT_NO_DEVICE:
        raise ValueError(f"rival is for calls about a registration, and {operation} is about none")


def _parse_when(text: str) -> Share | Numbers:
    matched = _WHEN.fullmatch(text)
    if matched is not None and matched["share"] is not None:
        percent = float(matched["share"])
        if 0 < percent <= 100:
            return Share(percent / 100)
    elif matched is not None:
        first = int(matched["first"])
        last = int(matched["last"]) if matched["last"] else None if matched["on"] else first
        if first >= 1 and (last is None or last >= first):
            return Numbers(first, last)
    raise ValueError(
        f"@{text} is no time; 5% of the calls, #7 (the seventh), #7-9, #7+, or nothing for always"
    )


def _parse_options(text: str, effect: Effect, name: str) -> dict[str, str]:
    given: dict[str, str] = {}
    for option, value in _split_options(text):
        if option not in _OPTIONS:
            raise ValueError(_explain_unknown("option", option, _OPTIONS))
        if option in given:
            raise ValueError(f"{option} stands twice")
        if effect not in _OPTIONS[option]:
            raise ValueError(_explain_useless_option(option, effect, name))
        if (value is None) != (option in ("after", "html")):
            raise ValueError(
                f"{option} has a value: {option}=..."
                if value is None
                else f"{option} has no value; it is written alone"
            )
        given[option] = value or ""
    return given


def _explain_useless_option(option: str, effect: Effect, name: str) -> str:
    if option == "after":
        return f"after means nothing to {name}: the call is carried out anyway"
    if option == "device":
        return f"device= means nothing to {name}: a page is about no registration"
    effects = ", ".join(
        "a status" if other is Effect.STATUS else other.value for other in _OPTIONS[option]
    )
    return f"{option} means nothing to {name}; it is for {effects}"


def _split_options(text: str) -> Iterator[tuple[str, str | None]]:
    """Yield the options; the JSON of `set=` may hold commas itself."""
    at = 0
    while at <= len(text):
        if text.startswith("set=", at):
            end = _find_json_end(text, at + 4)
            yield "set", text[at + 4 : end]
        else:
            end = text.find(",", at) if "," in text[at:] else len(text)
            option, equals, value = text[at:end].partition("=")
            yield option, value if equals else None
        at = end + 1


def _find_json_end(text: str, at: int) -> int:
    try:
        _, end = json.JSONDecoder().raw_decode(text, at)
    except (ValueError, RecursionError):
        raise ValueError(f"set={text[at:]} is no JSON") from None
    if end < len(text) and text[end] != ",":
        raise ValueError(f"after the JSON of set= stands {text[end:]}; a comma goes between")
    return end


def _parse_retry_after(text: str) -> RetryAfter:
    matched = _RETRY.fullmatch(text)
    if matched is None:
        raise ValueError(f"retry-after={text}: whole seconds, as in retry-after=2 or date:2")
    return RetryAfter(int(matched["seconds"]), matched["date"] is not None)


def _parse_seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= _LONGEST:
        raise ValueError(f"seconds={text}: a number of seconds above 0, as in seconds=1.5")
    return seconds


def _parse_merge_patch(text: str) -> Mapping[str, object]:
    merge: object = json.loads(text)
    if not isinstance(merge, dict):
        raise ValueError('set= is a JSON object, as in set={"isPrimary": false}')
    # Tried on a registration that is none, so that a wrong patch is told now and not by no effect.
    patch_registration(Registration("", ""), merge)
    return merge


def _explain_unknown(
    kind: str, name: str, known: Collection[str], listed: Collection[str] | None = None
) -> str:
    meant = closest(name, known)
    hint = "" if meant is None else f" Did you mean {meant}?"
    return f"there is no {kind} {name!r}.{hint} They are: {', '.join(listed or known)}"
