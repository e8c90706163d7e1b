"""Diagnostics of files, for people, for programs, for GitHub and as SARIF.

The same facts in each: code, place, message, detail, why, fix and the other places. Whatever a
stranger could have written is shown escaped.
"""

from __future__ import annotations

import json as _json
from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from urllib.parse import quote

from reconciler.core.diagnostics import Code, Diagnostic, Severity
from reconciler.core.source import Source

from .escape import prose

_SARIF: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def text(diagnostics: Iterable[Diagnostic]) -> str:
    """Render as `file:line:col: error[E204]: message`, what belongs to it indented below."""
    lines: list[str] = []
    for one in diagnostics:
        place = f"{_place(one.source)}: " if one.source else ""
        lines.append(f"{place}{one.severity.value}[{one.code.id}]: {prose(one.message)}")
        lines += [f"  {line}" for line in _rest(one)]
    return "".join(f"{line}\n" for line in lines)


def json(diagnostics: Iterable[Diagnostic]) -> str:
    """Render as one JSON document: `diagnostics` and the counts of errors and warnings."""
    found = list(diagnostics)
    counts = [one.severity for one in found]
    document = {
        "formatVersion": "1.0",
        "summary": {
            "errors": counts.count(Severity.ERROR),
            "warnings": counts.count(Severity.WARNING),
        },
        "diagnostics": [_as_json(one) for one in found],
    }
    return _json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def github(diagnostics: Iterable[Diagnostic]) -> str:
    """Render as workflow commands, which GitHub shows beside the lines of a pull request."""
    lines: list[str] = []
    for one in diagnostics:
        properties = {"title": f"{one.code.id} {one.code.title}"}
        if one.source is not None:
            place = one.source
            properties |= {"file": place.file, "line": f"{place.line}", "col": f"{place.column}"}
        listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
        message = "\n".join([prose(one.message), *_rest(one)])
        lines.append(f"::{one.severity.value} {listed}::{_data(message)}\n")
    return "".join(lines)


def sarif(diagnostics: Iterable[Diagnostic]) -> str:
    """Render as SARIF 2.1.0, which code scanning services read."""
    found = list(diagnostics)
    rules = sorted({one.code.id: one.code for one in found}.values(), key=lambda code: code.id)
    numbers = {code.id: number for number, code in enumerate(rules)}
    run = {
        "tool": {"driver": {"name": "reconciler", "rules": [_rule(code) for code in rules]}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, numbers[one.code.id]) for one in found],
    }
    document = {"$schema": _SARIF, "version": "2.1.0", "runs": [run]}
    return _json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _place(source: Source) -> str:
    return f"{prose(source.file)}:{source.line}:{source.column}"


def _rest(one: Diagnostic) -> Iterator[str]:
    """Yield the lines below the first: detail, other places, why, and last the fix."""
    yield from (prose(line) for line in one.detail)
    yield from (f"{prose(words)}: {_place(source)}" for source, words in one.related)
    yield f"why: {prose(one.why or one.code.why)}"
    yield f"fix: {prose(one.fix or one.code.fix)}"


def _as_json(one: Diagnostic) -> dict[str, object]:
    return {
        "code": one.code.id,
        "slug": one.code.slug,
        "severity": one.severity.value,
        "title": one.code.title,
        "message": one.message,
        **_json_place(one.source),
        "detail": list(one.detail),
        "why": one.why or one.code.why,
        "fix": one.fix or one.code.fix,
        "related": [{"message": words, **_json_place(source)} for source, words in one.related],
    }


def _json_place(source: Source | None) -> dict[str, object]:
    if source is None:
        return {"file": None, "line": None, "column": None}
    return {"file": source.file, "line": source.line, "column": source.column}


def _rule(code: Code) -> dict[str, object]:
    return {
        "id": code.id,
        "name": code.slug,
        "shortDescription": {"text": code.title},
        "fullDescription": {"text": code.why},
        "help": {"text": code.fix},
        "defaultConfiguration": {"level": code.severity.value},
    }


def _result(one: Diagnostic, rule: int) -> dict[str, object]:
    lines: Sequence[str] = [prose(one.message), *_rest(one)]
    result: dict[str, object] = {
        "ruleId": one.code.id,
        "ruleIndex": rule,
        "level": one.severity.value,
        "message": {"text": "\n".join(lines)},
    }
    if one.source is not None:
        result["locations"] = [_location(one.source)]
    if one.related:
        result["relatedLocations"] = [
            {"id": number, **_location(source), "message": {"text": prose(words)}}
            for number, (source, words) in enumerate(one.related)
        ]
    return result


def _location(source: Source) -> dict[str, object]:
    region = {"startLine": source.line, "startColumn": source.column}
    artifact = {"uri": quote(source.file, safe="/")}
    return {"physicalLocation": {"artifactLocation": artifact, "region": region}}


def _data(value: str) -> str:
    # GitHub's own escapes; without them a message could begin a command of its own.
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")
