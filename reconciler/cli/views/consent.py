"""`--write-consent`: what became of the consent that a plan asks for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.settings import Options
from reconciler.cli.streams import say
from reconciler.plan.model import Plan

if TYPE_CHECKING:
    from reconciler.engine.project import Project


def write_consent(options: Options, project: Project, plan: Plan, out: Path) -> None:
    """Write the consent that a refused plan asks for, and say whether the project names it."""
    written = project.write_consent(plan, out)
    if written is None:
        say(options, "info", f"No guard needs a consent; {out} was not written.")
    elif written.is_named:
        say(options, "info", f"Wrote {out}. Once it is reviewed, this plan is not refused.")
    else:
        say(
            options,
            "warning",
            f"Wrote {out}, but safety.consents of the project file does not name it.",
            fix="Add its glob there, such as consents/*.yaml.",
        )
