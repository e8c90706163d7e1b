"""What others changed since the last apply: as text, JSON or Markdown on stdout."""

from __future__ import annotations

import sys

from reconciler.cli.settings import Options
from reconciler.cli.streams import result
from reconciler.plan.drift import DriftDocument, encode
from reconciler.render import drift
from reconciler.render.folding import FOLD

from .step_summary import append_step_summary
from .terminal import paint


def show(options: Options, document: DriftDocument, form: str) -> None:
    """Write it to stdout, and as Markdown to the summary of a pipeline's step."""
    match form:
        case "json":
            result(encode(document))
        case "markdown":
            result(drift.markdown(document))
        case _:
            paint(sys.stdout, drift.lines(document, None if options.verbose else FOLD), options)
    append_step_summary(options, "drift", lambda: drift.markdown(document))
