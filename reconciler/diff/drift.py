"""Who moved: the file, or somebody at the service? The record tells them apart."""

from __future__ import annotations

from typing import Literal

from reconciler.core.fields import OWNER, Reason, data_key
from reconciler.core.project import Project
from reconciler.core.record import RecordedDevice


def reason(path: str, wanted: tuple[str, ...], recorded: RecordedDevice | None) -> Reason:
    """Return why a field differs: drift when the file still says what we applied.

    `wanted` are the digests of the declared value. Without a record nothing was applied, so
    whatever differs is declared.
    """
    if recorded is not None and recorded.fields.get(path) == wanted:
        return Reason.DRIFT
    return Reason.DECLARED


def policy(project: Project, path: str) -> Literal["mend", "report"]:
    """Return what `onDrift` says of a field: mend it, or report it and leave it.

    A key of its own path wins over `additionalData`; the default is mend, but for the owner.
    """
    chosen = project.on_drift.get(path)
    if chosen is None and data_key(path) is not None:
        chosen = project.on_drift.get("additionalData")
    if chosen is None:
        return "report" if path == OWNER else "mend"
    return chosen
