"""What an apply did: as text, JSON or Markdown on stdout, and in a pipeline's summary."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.settings import Options
from reconciler.cli.streams import result

from .step_summary import append_step_summary
from .terminal import paint

if TYPE_CHECKING:
    from reconciler.cli.applying import Applied


def show(options: Options, applied: Applied, form: str) -> None:
    """Write the report to stdout; as text only if this run had anything to do."""
    if form == "json":
        from reconciler.render.report import encode

        result(encode(applied.report))
    elif form == "markdown":
        result(_markdown(applied))
    elif not applied.finished:
        from reconciler.render.report import lines

        paint(sys.stdout, lines(applied.report, again=_resume_command(applied.file)), options)


def append_report_summary(options: Options, applied: Applied) -> None:
    """Append the report to the summary of a pipeline's step."""
    append_step_summary(options, "report", lambda: _markdown(applied))


def _resume_command(file: Path | None) -> str | None:
    """Return the command that goes on with a plan; one that was not saved is made anew."""
    return None if file is None else f"reconciler apply {shlex.quote(str(file))}"


def _markdown(applied: Applied) -> str:
    from reconciler.render.report_markdown import already, render

    if applied.finished:
        return already(applied.plan.id)
    again = _resume_command(applied.file)
    return render(applied.report, again=again, withheld=applied.plan.summary.withheld)
