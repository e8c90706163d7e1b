"""Every rendering of hand-made plans and reports, byte for byte (--update-golden rewrites)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from reconciler.core.report import Outcome, Report, Row
from reconciler.render import calls, markdown, report, text
from reconciler.render import report_markdown as outcome
from reconciler.render.html import page as html
from reconciler.render.spans import plain
from tests import plans

GOLDEN: Final = Path(__file__).parent / "golden"
PATH: Final = "/people/2/contactInformation/push/"


def row(device: str, outcome: Outcome, operation: str | None = "update", **more: object) -> Row:
    """One row of a report, with a request where there is an operation."""
    method = {None: None, "update": "PATCH"}.get(operation, "POST")
    path = None if operation is None else PATH + device
    call = None if operation is None else f"{operation}/{device}"
    values: dict[str, object] = {"label": None, "attempts": 1, "truth": "done"} | more
    return Row(  # type: ignore[arg-type]
        device,
        "courier",
        outcome=outcome,
        call=call,
        operation=operation,
        method=method,
        path=path,
        **values,
    )


COMPLETE: Final = Report(
    "01J9ZQ4M8T",
    (
        row("A-1", Outcome.APPLIED, "personalize"),
        row("A-1", Outcome.APPLIED),
        row("B-2", Outcome.APPLIED),
        row("C-3", Outcome.ADOPTED, None, attempts=0),
        row("C-4", Outcome.RELEASED, None, attempts=0),
    ),
    1.234,
)
INCOMPLETE: Final = Report(
    "01J9ZQ4M8T",
    (
        *COMPLETE.rows,
        row("D-4", Outcome.STALE, truth="not done", label="Depot", detail="isPrimary moved"),
        row(
            "E-5",
            Outcome.FAILED,
            "personalize",
            truth="not done",
            label="Eva's phone",
            attempts=3,
            detail=f"personalize of device E-5: POST {PATH}E-5 answered 403: FORBIDDEN \x1b[31m "
            "(not done, 3 attempts)",
        ),
        row("E-5", Outcome.SKIPPED, truth="not done", detail="needs personalize/E-5"),
        row("F-6", Outcome.UNKNOWN, "depersonalize", truth="unknown", detail="no answer in 30 s"),
        *(
            row(
                f"H-{number}",
                Outcome.FAILED,
                attempts=0,
                truth="not done",
                detail=f"get of device H-{number}: GET {PATH}H-{number} answered 500 (nothing was "
                "changed, 5 attempts)",
            )
            for number in range(6)
        ),
        *(row(f"G-{number}", Outcome.NOT_TRIED, truth="not done") for number in range(40)),
    ),
    75.5,
    interrupted=True,
)
STOPPED: Final = Report(
    "01J9ZQ4M8T",
    (
        *(
            row(
                f"A-{number}",
                Outcome.FAILED,
                truth="not done",
                detail=f"update of device A-{number}: PATCH {PATH}A-{number} answered 409: BUSY "
                "(not done); not sent again: the lock was lost",
            )
            for number in range(6)
        ),
        row(
            "B-1",
            Outcome.NOT_TRIED,
            truth="not done",
            attempts=0,
            detail="the lock was lost",
        ),
    ),
    0.2,
    stopped="the lock was lost",
)

RENDERED: Final[dict[str, Callable[[], str]]] = {
    "everything.txt": lambda: plain(text.lines(plans.everything())),
    "everything-unfolded.txt": lambda: plain(text.lines(plans.everything(), fold=None)),
    "everything.md": lambda: markdown.render(plans.everything()),
    "everything.html": lambda: html.render(plans.everything()),
    "everything-calls.txt": lambda: plain(calls.lines(plans.everything())),
    "hostile.txt": lambda: plain(text.lines(plans.hostile(plans.HOSTILE[:10]))),
    "hostile.md": lambda: markdown.render(plans.hostile(plans.HOSTILE[:10])),
    "empty.txt": lambda: plain(text.lines(plans.empty())),
    "empty.md": lambda: markdown.render(plans.empty()),
    "empty-calls.txt": lambda: plain(calls.lines(plans.empty())),
    "complete.txt": lambda: plain(report.lines(COMPLETE)),
    "incomplete.txt": lambda: plain(report.lines(INCOMPLETE)),
    "incomplete-saved.txt": lambda: plain(
        report.lines(INCOMPLETE, fold=None, again="reconciler apply plan.json")
    ),
    "complete.md": lambda: outcome.render(COMPLETE),
    "incomplete.md": lambda: outcome.render(
        INCOMPLETE, again="reconciler apply plan.json", withheld=2
    ),
    "stopped.md": lambda: outcome.render(STOPPED),
    "already.md": lambda: outcome.already_applied("01J9ZQ4M8T"),
    "stopped.txt": lambda: plain(report.lines(STOPPED, again="reconciler apply plan.json")),
    "incomplete.json": lambda: report.encode(INCOMPLETE).decode("ascii"),
}


@pytest.mark.parametrize("name", RENDERED)
def test_a_rendering_is_as_it_was(name: str, update_golden: bool) -> None:
    """A rendering changes only when somebody means it and looks at the new golden file."""
    actual = RENDERED[name]()
    file = GOLDEN / name
    if update_golden:
        file.write_text(actual, "utf-8")

    assert file.read_text("utf-8") == actual
