"""A plan in the form somebody asked for: text, json, markdown, html or calls."""

from __future__ import annotations

import sys
from typing import TextIO

from reconciler.cli.collector import without_collector
from reconciler.cli.settings import Options
from reconciler.cli.streams import result
from reconciler.plan.model import Plan

from .step_summary import append_step_summary
from .terminal import paint

FORMATS = ("text", "json", "markdown", "html", "calls")


def show(
    plan: Plan, form: str, options: Options, stream: TextIO | None = None, *, fold: bool = True
) -> None:
    """Write a plan to stdout, or as text to another stream. Only what the form needs is loaded."""
    match form:
        case "json":
            from reconciler.plan.document import encode

            result(encode(plan))
        case "markdown":
            from reconciler.render.markdown import render as markdown

            with without_collector():
                text = markdown(plan)
            result(text)
        case "html":
            from reconciler.render.html.page import render as html

            with without_collector():
                page = html(plan)
            result(page)
        case "calls":
            from reconciler.render.calls import lines as calls

            paint(sys.stdout, calls(plan), options)
        case _:
            from reconciler.render.text import lines

            # -v: every device in full, nothing folded.
            target = stream or sys.stdout
            paint(target, lines(plan, None) if not fold else lines(plan), options)


def append_plan_summary(options: Options, plan: Plan) -> None:
    """Append the plan to the summary of a pipeline's step."""
    from reconciler.render.markdown import render

    append_step_summary(options, "plan", lambda: render(plan))
