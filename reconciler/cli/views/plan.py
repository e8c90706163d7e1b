"""A plan in the form somebody asked for: text, json, markdown, html or calls."""

from __future__ import annotations

import sys
from typing import TextIO

from reconciler.cli.collector import without_collector
from reconciler.cli.settings import Options
from reconciler.plan.model import Plan
from reconciler.render.folding import FOLD
from reconciler.render.formats import PLAN_FORMATS

from .step_summary import append_step_summary
from .terminal import write_rendered


def show(
    plan: Plan, form: str, options: Options, stream: TextIO | None = None, *, fold: bool = True
) -> None:
    """Write a plan to stdout, or as text to another stream. Only what the form needs is loaded."""
    with without_collector():
        # -v: every device in full, nothing folded; a comment or a page stays short all the same.
        rendered = PLAN_FORMATS[form](plan, None if form == "text" and not fold else FOLD)
        write_rendered(stream or sys.stdout, rendered, options)


def append_plan_summary(options: Options, plan: Plan) -> None:
    """Append the plan to the summary of a pipeline's step."""
    from reconciler.render.markdown import render

    append_step_summary(options, "plan", lambda: render(plan))
