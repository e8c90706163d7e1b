"""The tables of output formats: each row renders its kind of document, the default stands first."""

from __future__ import annotations

import json

import pytest

from reconciler.core.report import Report
from reconciler.render.formats import (
    DIAGNOSTIC_FORMATS,
    DRIFT_FORMATS,
    PLAN_FORMATS,
    REPORT_FORMATS,
    Rendered,
)
from reconciler.render.spans import plain
from tests import plans
from tests.unit.render.test_diagnostics import PRIMARIES, WARNING
from tests.unit.render.test_drift import EVERYTHING

REPORT = Report("01J9ZQ4M8T", (), 1.0)
RENDERED = {
    **{f"plan {form}": render(plans.everything(), 5) for form, render in PLAN_FORMATS.items()},
    **{f"drift {form}": render(EVERYTHING, 5) for form, render in DRIFT_FORMATS.items()},
    **{f"report {form}": render(REPORT, None, 0) for form, render in REPORT_FORMATS.items()},
    **{
        f"diagnostics {form}": render([PRIMARIES, WARNING])
        for form, render in DIAGNOSTIC_FORMATS.items()
    },
}


def as_text(rendered: Rendered) -> str:
    if isinstance(rendered, bytes):
        return rendered.decode()
    return rendered if isinstance(rendered, str) else plain(rendered)


def test_text_is_the_default_of_every_kind_of_document() -> None:
    """Options take the first row for the default."""
    tables = (PLAN_FORMATS, DRIFT_FORMATS, REPORT_FORMATS, DIAGNOSTIC_FORMATS)
    assert [next(iter(table)) for table in tables] == ["text"] * 4


@pytest.mark.parametrize("name", RENDERED)
def test_every_format_renders_its_document(name: str) -> None:
    """No row is left without a renderer, and none renders nothing."""
    assert as_text(RENDERED[name]).strip()


@pytest.mark.parametrize("name", [name for name in RENDERED if name.endswith(("json", "sarif"))])
def test_formats_for_programs_are_json(name: str) -> None:
    """What programs read is one JSON document."""
    assert isinstance(json.loads(as_text(RENDERED[name])), dict)
