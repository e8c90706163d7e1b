"""The consent that a refused plan asks for, as a file to be reviewed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.manifest.consent import format_consent
from reconciler.plan.consent import consent_to
from reconciler.plan.model import Plan

from .files import expand_globs
from .output_files import save
from .project_files import ProjectFiles

_HEAD: Final = b"# Consent to one plan"


@dataclass(frozen=True, slots=True)
class WrittenConsent:
    """`is_named`: a glob under safety.consents of the project file matches the file."""

    is_named: bool


def is_consent(data: bytes) -> bool:
    """Whether a file's content begins as the consents that we write do."""
    return data.startswith(_HEAD)


def write_consent(files: ProjectFiles, plan: Plan, file: Path) -> WrittenConsent | None:
    """Write the consent that a plan asks for; None, and no file, if it asks for none."""
    consent = consent_to(plan)
    if consent is None:
        return None
    reasons = [refusal.message for refusal in plan.refusals if refusal.guard in consent.accept]
    save(file, format_consent(consent, reasons).encode())
    matches = expand_globs(files.root, (pattern.text for pattern in files.project.consents))
    return WrittenConsent(
        any(
            (files.root / path).resolve() == file.resolve()
            for group in matches.values()
            for path in group
        )
    )
