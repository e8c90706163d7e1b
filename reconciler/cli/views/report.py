"""What an apply did: as text, JSON or Markdown on stdout, and in a pipeline's summary."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.settings import Options
from reconciler.cli.streams import result
from reconciler.render.formats import REPORT_FORMATS

from .step_summary import append_step_summary
from .terminal import write_rendered

if TYPE_CHECKING:
    from reconciler.cli.applying import Applied


def show(options: Options, applied: Applied, form: str) -> None:
    """Write the report to stdout; as text only if this run had anything to do."""
    if applied.finished and form != "json":
        # Nothing was done: the message on stderr has said so.
        result(_markdown(applied) if form == "markdown" else "")
        return
    withheld = applied.plan.summary.withheld
    rendered = REPORT_FORMATS[form](applied.report, _resume_command(applied.file), withheld)
    write_rendered(sys.stdout, rendered, options)


def append_report_summary(options: Options, applied: Applied) -> None:
    """Append the report to the summary of a pipeline's step."""
    append_step_summary(options, "report", lambda: _markdown(applied))


def _resume_command(file: Path | None) -> str | None:
    """Return the command that goes on with a plan; one that was not saved is made anew."""
    return None if file is None else f"reconciler apply {shlex.quote(str(file))}"


def _markdown(applied: Applied) -> str:
    from reconciler.render.report_markdown import already_applied, render

    if applied.finished:
        return already_applied(applied.plan.id)
    again = _resume_command(applied.file)
    return render(applied.report, again=again, withheld=applied.plan.summary.withheld)
