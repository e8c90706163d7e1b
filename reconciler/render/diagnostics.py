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
    for diagnostic in diagnostics:
        place = f"{_place(diagnostic.source)}: " if diagnostic.source else ""
        lines.append(
            f"{place}{diagnostic.severity.value}[{diagnostic.code.id}]: {prose(diagnostic.message)}"
        )
        lines += [f"  {line}" for line in _rest(diagnostic)]
    return "".join(f"{line}\n" for line in lines)


def json(diagnostics: Iterable[Diagnostic]) -> str:
    """Render as one JSON document: `diagnostics` and the counts of errors and warnings."""
    in_order = list(diagnostics)
    counts = [diagnostic.severity for diagnostic in in_order]
    document = {
        "formatVersion": "1.0",
        "summary": {
            "errors": counts.count(Severity.ERROR),
            "warnings": counts.count(Severity.WARNING),
        },
        "diagnostics": [_as_json(diagnostic) for diagnostic in in_order],
    }
    return _json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def github(diagnostics: Iterable[Diagnostic]) -> str:
    """Render as workflow commands, which GitHub shows beside the lines of a pull request."""
    lines: list[str] = []
    for diagnostic in diagnostics:
        properties = {"title": f"{diagnostic.code.id} {diagnostic.code.title}"}
        if diagnostic.source is not None:
            place = diagnostic.source
            properties |= {"file": place.file, "line": f"{place.line}", "col": f"{place.column}"}
        listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
        message = "\n".join([prose(diagnostic.message), *_rest(diagnostic)])
        lines.append(f"::{diagnostic.severity.value} {listed}::{_data(message)}\n")
    return "".join(lines)


def sarif(diagnostics: Iterable[Diagnostic]) -> str:
    """Render as SARIF 2.1.0, which code scanning services read."""
    in_order = list(diagnostics)
    rules = sorted(
        {diagnostic.code.id: diagnostic.code for diagnostic in in_order}.values(),
        key=lambda code: code.id,
    )
    numbers = {code.id: number for number, code in enumerate(rules)}
    run = {
        "tool": {"driver": {"name": "reconciler", "rules": [_rule(code) for code in rules]}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(diagnostic, numbers[diagnostic.code.id]) for diagnostic in in_order],
    }
    document = {"$schema": _SARIF, "version": "2.1.0", "runs": [run]}
    return _json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _place(source: Source) -> str:
    return f"{prose(source.file)}:{source.line}:{source.column}"


def _rest(diagnostic: Diagnostic) -> Iterator[str]:
    """Yield the lines below the first: detail, other places, why, and last the fix."""
    yield from (prose(line) for line in diagnostic.detail)
    yield from (f"{prose(words)}: {_place(source)}" for source, words in diagnostic.related)
    yield f"why: {prose(diagnostic.why or diagnostic.code.why)}"
    yield f"fix: {prose(diagnostic.fix or diagnostic.code.fix)}"


def _as_json(diagnostic: Diagnostic) -> dict[str, object]:
    return {
        "code": diagnostic.code.id,
        "slug": diagnostic.code.slug,
        "severity": diagnostic.severity.value,
        "title": diagnostic.code.title,
        "message": diagnostic.message,
        **_json_place(diagnostic.source),
        "detail": list(diagnostic.detail),
        "why": diagnostic.why or diagnostic.code.why,
        "fix": diagnostic.fix or diagnostic.code.fix,
        "related": [
            {"message": words, **_json_place(source)} for source, words in diagnostic.related
        ],
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


def _result(diagnostic: Diagnostic, rule: int) -> dict[str, object]:
    lines: Sequence[str] = [prose(diagnostic.message), *_rest(diagnostic)]
    result: dict[str, object] = {
        "ruleId": diagnostic.code.id,
        "ruleIndex": rule,
        "level": diagnostic.severity.value,
        "message": {"text": "\n".join(lines)},
    }
    if diagnostic.source is not None:
        result["locations"] = [_location(diagnostic.source)]
    if diagnostic.related:
        result["relatedLocations"] = [
            {"id": number, **_location(source), "message": {"text": prose(words)}}
            for number, (source, words) in enumerate(diagnostic.related)
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
