"""The ordered HTTP calls of a plan as a person reads them: what is sent, after what."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlencode

from reconciler.core.counting import counted
from reconciler.plan.model import HIDDEN, Plan, PlannedCall

from .escape import name, prose
from .sentences import listed, work_sentence
from .spans import EMPTY, Line, Span, line
from .values import People, show_identity

_TEXT_LIMIT: Final = 400
_EDGES: Final = 8


def lines(plan: Plan) -> Iterator[Line]:
    """Yield every call in the order of the plan, the summary last.

    People stand as their manifest pointers; apply puts the identity in when it sends the call.
    """
    applications = {change.device: change.application for change in plan.changes}
    for index, call in enumerate(plan.calls, 1):
        yield from _call(index, call, applications.get(call.device), plan.people)
        yield EMPTY
    if not plan.calls:
        yield line(Span("No calls.", "title"))
        return
    chain = plan.forecast.chain
    waits = f" Longest chain: {counted(chain, 'call')}." if chain > 1 else ""
    yield line(Span(f"{work_sentence(plan)}.", "title"), waits)


def _call(index: int, call: PlannedCall, application: str | None, people: People) -> Iterator[Line]:
    app = f"  application {name(application)}" if application is not None else ""
    yield line(Span(f"# {index} {name(call.id)}{app}", "dim"))
    target = call.path + (f"?{urlencode(sorted(call.query.items()))}" if call.query else "")
    yield line(Span(prose(call.method), "change"), " ", Span(prose(target, 2000), "title"))
    only_after = tuple(id_ for id_ in call.after if id_ not in call.needs)
    for word, ids in (("needs", call.needs), ("after", only_after)):
        if ids:
            few = [name(id_) for id_ in ids[:_EDGES]]
            yield line(Span(f"{word}: {listed(few, _EDGES, len(ids))}", "dim"), indent=2)
    if call.body is not None:
        for text in json_lines(call.body):
            yield line(text, indent=2)
        for pointer in sorted(people.keys() & _pointers(call.body)):
            yield line(Span(f"{name(pointer)}{show_identity(pointer, people)}", "dim"), indent=2)
    if call.carry_undeclared:
        text = "and the undeclared keys of additionalData, as read right before"
        yield line(Span(f"+ {text}", "dim"), indent=2)


def _pointers(body: Mapping[str, object]) -> set[object]:
    return {part.get("$person") for part in body.values() if isinstance(part, dict)}


def json_lines(body: object) -> list[str]:
    """Return a JSON value pretty and legible, keys as in a saved plan, long texts cut."""
    pretty = json.dumps(
        _shorten(body), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=True
    )
    # JSON escapes what is below a blank; the rest of the unseen is left to escape.prose.
    return [prose(text, 4 * _TEXT_LIMIT) for text in pretty.split("\n")]


def _shorten(value: object) -> object:
    match value:
        case str() if len(value) > _TEXT_LIMIT:
            return f"{value[:_TEXT_LIMIT]}… ({len(value):,} characters)"
        case dict() if value.keys() == {HIDDEN}:
            return "(hidden)"
        case dict():
            return {str(_shorten(key)): _shorten(item) for key, item in value.items()}
        case list() | tuple():
            return [_shorten(item) for item in value]
        case _:
            return value
