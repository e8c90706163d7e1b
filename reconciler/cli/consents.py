"""Consents as files: those that a project names, and the one that a plan asks for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core.consent import Consent
from reconciler.core.project import Project
from reconciler.manifest.result import ManifestFile, ParseResult
from reconciler.plan.model import Plan

from . import files
from .data import schema_bytes
from .options import Options
from .outputs import save
from .streams import say

if TYPE_CHECKING:
    from .checking import Loaded

_HEAD = b"# Consent to one plan"


def read_all(root: Path, project: Project) -> ParseResult[tuple[Consent, ...]]:
    """Read the consents of a project. A glob that matches nothing is no mistake: there are none."""
    if not project.consents:
        return ParseResult(())
    from reconciler.manifest.consent import read_consents

    found = files.expand(root, (pattern.text for pattern in project.consents))
    paths = sorted({path for group in found.values() for path in group})
    return read_consents(
        (
            ManifestFile(files.printable(path), files.read(root / path, within=root))
            for path in paths
        ),
        schema_bytes("consent"),
    )


def is_consent(data: bytes) -> bool:
    """Whether a file's content begins as the consents that we write do."""
    return data.startswith(_HEAD)


def write_consent(options: Options, loaded: Loaded, plan: Plan, out: Path) -> None:
    """Write the consent that a refused plan asks for, to be reviewed."""
    from reconciler.manifest.consent import consent_text
    from reconciler.plan.consent import consent_to

    consent = consent_to(plan)
    if consent is None:
        say(options, "info", f"There is nothing to consent to; {out} was not written.")
        return
    what = [one.message for one in plan.refusals if one.guard in consent.accept]
    save(out, consent_text(consent, what).encode())
    named = files.expand(loaded.root, (pattern.text for pattern in loaded.project.consents))
    is_named = any(
        (loaded.root / path).resolve() == out.resolve()
        for group in named.values()
        for path in group
    )
    if is_named:
        say(options, "info", f"Wrote {out}. Once it is reviewed, this plan is not refused.")
        return
    say(
        options,
        "warning",
        f"Wrote {out}, but safety.consents of the project file does not name it.",
        fix="Add its glob there, such as consents/*.yaml.",
    )
