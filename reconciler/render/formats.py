"""Output formats: for each kind of document, the values of `--format` and what renders each.

The first of a table is the default. A new format is a row here. Renderers are imported when they
are called, so that knowing the names costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from reconciler.core.diagnostics import Diagnostic
    from reconciler.core.report import Report
    from reconciler.plan.drift import DriftDocument
    from reconciler.plan.model import Plan

    from .spans import Line

# A whole document as text or as bytes; or lines, which a terminal shows in colour.
Rendered: TypeAlias = "str | bytes | Iterable[Line]"
# How many devices that look alike are still shown one by one; None: always.
Fold: TypeAlias = "int | None"


def _plan_text(plan: Plan, fold: Fold) -> Rendered:
    from .text import lines

    return lines(plan, fold)


def _plan_json(plan: Plan, fold: Fold) -> Rendered:
    from reconciler.plan.document import encode

    return encode(plan)


def _plan_markdown(plan: Plan, fold: Fold) -> Rendered:
    from .markdown import render

    return render(plan, fold)


def _plan_html(plan: Plan, fold: Fold) -> Rendered:
    from .html.page import render

    return render(plan, fold)


def _plan_calls(plan: Plan, fold: Fold) -> Rendered:
    from .calls import lines

    return lines(plan)


PLAN_FORMATS: Final[Mapping[str, Callable[[Plan, Fold], Rendered]]] = MappingProxyType(
    {
        "text": _plan_text,
        "json": _plan_json,
        "markdown": _plan_markdown,
        "html": _plan_html,
        "calls": _plan_calls,
    }
)


def _drift_text(drift: DriftDocument, fold: Fold) -> Rendered:
    from .drift import lines

    return lines(drift, fold)


def _drift_json(drift: DriftDocument, fold: Fold) -> Rendered:
    from reconciler.plan.drift import encode

    return encode(drift)


def _drift_markdown(drift: DriftDocument, fold: Fold) -> Rendered:
    from .drift import markdown

    return markdown(drift, fold)


DRIFT_FORMATS: Final[Mapping[str, Callable[[DriftDocument, Fold], Rendered]]] = MappingProxyType(
    {"text": _drift_text, "json": _drift_json, "markdown": _drift_markdown}
)


# Of a report: the command that goes on with its plan, if there is one, and how many devices the
# errors of the plan withheld.
def _report_text(report: Report, again: str | None, withheld: int) -> Rendered:
    from .report import lines

    return lines(report, again=again)


def _report_json(report: Report, again: str | None, withheld: int) -> Rendered:
    from .report import encode

    return encode(report)


def _report_markdown(report: Report, again: str | None, withheld: int) -> Rendered:
    from .report_markdown import render

    return render(report, again=again, withheld=withheld)


REPORT_FORMATS: Final[Mapping[str, Callable[[Report, str | None, int], Rendered]]] = (
    MappingProxyType({"text": _report_text, "json": _report_json, "markdown": _report_markdown})
)


def _diagnostics_text(diagnostics: Iterable[Diagnostic]) -> str:
    from .diagnostics import text

    return text(diagnostics)


def _diagnostics_json(diagnostics: Iterable[Diagnostic]) -> str:
    from .diagnostics import json

    return json(diagnostics)


def _diagnostics_github(diagnostics: Iterable[Diagnostic]) -> str:
    from .diagnostics import github

    return github(diagnostics)


def _diagnostics_sarif(diagnostics: Iterable[Diagnostic]) -> str:
    from .diagnostics import sarif

    return sarif(diagnostics)


DIAGNOSTIC_FORMATS: Final[Mapping[str, Callable[[Iterable[Diagnostic]], str]]] = MappingProxyType(
    {
        "text": _diagnostics_text,
        "json": _diagnostics_json,
        "github": _diagnostics_github,
        "sarif": _diagnostics_sarif,
    }
)
