"""`--write-patch`: what became of the proposals of a plan, and how to take the patch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.settings import Options
from reconciler.cli.streams import say
from reconciler.plan.model import Plan

if TYPE_CHECKING:
    from reconciler.engine.project import Project


def write_patch(options: Options, project: Project, plan: Plan, out: Path) -> None:
    """Write the patch of the manifests, and say what is in it and what is not."""
    written = project.write_patch(plan, out)
    for guard in written.refused_guards:
        text = f"The guard {guard} refuses this plan; its devices are left out of the patch."
        say(options, "warning", text)
    for edit in written.not_editable:
        text = f"{edit.source}: {edit.device} is left out of the patch; edit its entry by hand."
        say(options, "warning", text)
    if not written.entries:
        say(options, "info", f"There is nothing to patch; {out} was not written.")
        return
    entries = f"{written.entries:,} entr{'y' if written.entries == 1 else 'ies'}"
    take = _take_command(project.root, out)
    say(options, "info", f"Wrote a patch of {entries} to {out}. To take it: {take}")


def _take_command(root: Path, out: Path) -> str:
    """Return how to take a patch: its paths are those of the project's directory."""
    if root.resolve() == Path.cwd():
        return f"git apply {out}"
    return f"git -C {root} apply {out.absolute()}"
