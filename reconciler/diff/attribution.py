"""Who moved: the file, or somebody at the service? The state tells them apart."""

from __future__ import annotations

from typing import Literal

from reconciler.core.digest import Digester
from reconciler.core.fields import OWNER, LiveValue, Reason, data_key
from reconciler.core.live import LivePerson
from reconciler.core.project import Project
from reconciler.core.record import (
    RecordedDevice,
    identity_digests,
    is_sent,
    is_stored,
    value_digest,
)

from .ownership import somebody


def reason(path: str, wanted: tuple[str, ...], recorded: RecordedDevice | None) -> Reason:
    """Return why a field differs: drift when the file still says what we applied.

    `wanted` are the digests of the declared value. Without a state nothing was applied, so
    whatever differs is declared.
    """
    applied = None if recorded is None else recorded.fields.get(path)
    if applied == wanted or (path != OWNER and is_sent(applied, wanted)):
        return Reason.DRIFT
    return Reason.DECLARED


def moved_by_others(
    path: str, live: LiveValue | None, recorded: RecordedDevice | None, digester: Digester
) -> bool:
    """Whether a field other than the owner was applied, and is not what was applied any more."""
    applied = None if recorded is None else recorded.fields.get(path)
    return applied is not None and not is_stored(applied, value_digest(path, live, digester))


def owner_moved_by_others(
    live: LivePerson | None, recorded: RecordedDevice | None, digester: Digester
) -> bool:
    """Whether an owner was applied, and the live one lacks a value of it; or nobody was, and there
    is somebody."""
    applied = None if recorded is None else recorded.fields.get(OWNER)
    if applied is None:
        return False
    person = somebody(live)
    if not applied or person is None:
        return bool(applied) or person is not None
    return not set(applied) <= set(identity_digests(person.identities, digester))


def policy(project: Project, path: str) -> Literal["correct", "report"]:
    """Return what `onDrift` says of a field: correct it, or report it and leave it.

    A key of its own path wins over `additionalData`; the default is fix, but for the owner.
    """
    chosen = project.on_drift.get(path)
    if chosen is None and data_key(path) is not None:
        chosen = project.on_drift.get("additionalData")
    if chosen is None:
        return "report" if path == OWNER else "correct"
    return chosen
