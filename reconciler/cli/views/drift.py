"""What others changed since the last apply: in the form that was asked for, and as a summary."""

from __future__ import annotations

import sys

from reconciler.cli.settings import Options
from reconciler.plan.drift import DriftDocument
from reconciler.render import drift
from reconciler.render.folding import FOLD
from reconciler.render.formats import DRIFT_FORMATS

from .step_summary import append_step_summary
from .terminal import write_rendered


def show(options: Options, document: DriftDocument, form: str) -> None:
    """Write it to stdout, and as Markdown to the summary of a pipeline's step."""
    # -v: nothing folded; a comment stays short all the same.
    fold = None if form == "text" and options.verbose else FOLD
    rendered = DRIFT_FORMATS[form](document, fold)
    write_rendered(sys.stdout, rendered, options)
    append_step_summary(options, "drift", lambda: drift.markdown(document))
