"""The proposals of a plan as a patch of the manifests, proven by reading the patched files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.core.device import Desired
from reconciler.core.safety import GONE
from reconciler.manifest.devices import read_manifests
from reconciler.manifest.patching import (
    Edit,
    apply_edits,
    block_edits,
    differs_by_edits,
    unified_patch,
)
from reconciler.manifest.result import ManifestFile, Unreadable
from reconciler.manifest.schema import Schemas
from reconciler.plan.model import Action, Plan

from .files import read_file
from .output_files import save
from .project_files import ProjectFiles, manifest_schemas


def is_patch(data: bytes) -> bool:
    """Whether a file is empty, or begins as a patch of ours does."""
    return not data.strip() or data.startswith(b"--- a/")


@dataclass(frozen=True, slots=True)
class WrittenPatch:
    """What became of the proposals of a plan.

    entries: how many are in the patch; none: no file was written.
    not_editable: those that lines cannot be edited for, or would mean something else then.
    refused_guards: guards whose refusal keeps their devices out.
    """

    entries: int
    not_editable: tuple[Edit, ...]
    refused_guards: tuple[str, ...]


def write_patch(files: ProjectFiles, plan: Plan, file: Path) -> WrittenPatch:
    """Write a patch that gives gone devices their new ids and drops the entries of the others."""
    edits, refused_guards = _edits(files.desired, plan)
    schemas = manifest_schemas()
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    not_editable: list[Edit] = []
    count = 0
    for path, wanted in edits.items():
        data = read_file(files.root / path, within=files.root)
        text = None if isinstance(data, Unreadable) else data.decode("utf-8", "surrogateescape")
        fitting = [] if text is None else _fitting(files, path, text, wanted, schemas)
        kept = set(fitting)
        count += len(kept)
        not_editable += [edit for edit in wanted if edit not in kept]
        new = None if text is None or not fitting else apply_edits(text, fitting)
        if text is not None and new is not None:
            before[path], after[path] = text, new
    if before:
        save(file, unified_patch(before, after).encode("utf-8", "surrogateescape"))
    return WrittenPatch(count if before else 0, tuple(not_editable), refused_guards)


def _edits(desired: Desired, plan: Plan) -> tuple[dict[str, list[Edit]], tuple[str, ...]]:
    """Return the edits of each file, and the guards that keep their devices out."""
    replacements = {proposal.device: proposal.replacement for proposal in plan.proposals}
    # With a wrong application code it would empty the manifests.
    refused = {refusal.guard for refusal in plan.refusals if refusal.guard.startswith(f"{GONE}:")}
    edits: dict[str, list[Edit]] = {}
    for change in plan.changes:
        device = desired.devices.get(change.device)
        if Action.GONE not in change.actions or device is None:
            continue
        if f"{GONE}:{change.application}" in refused:
            continue
        replacement = replacements.get(device.id)
        if replacement is None and device.id in replacements:
            # Which registration it is, or whether any, is not known: nobody should forget it then.
            continue
        edits.setdefault(device.source.file, []).append(Edit(device.id, device.source, replacement))
    return edits, tuple(sorted(refused))


def _fitting(
    files: ProjectFiles, path: str, text: str, edits: Sequence[Edit], schemas: Schemas
) -> list[Edit]:
    """Return the edits that can be made together, and mean what they should."""
    before = _read(files, path, text, schemas)
    if before is None:
        return []

    def grown(fitting: list[Edit], more: Sequence[Edit]) -> list[Edit]:
        """Add what fits. By halves: a file is read whole for each try, and few do not fit."""
        if _fits(files, path, text, before, [*fitting, *more], schemas):
            return [*fitting, *more]
        if len(more) < 2:
            return fitting
        half = len(more) // 2
        return grown(grown(fitting, more[:half]), more[half:])

    return grown([], block_edits(text, edits))


def _fits(
    files: ProjectFiles,
    path: str,
    text: str,
    before: Desired,
    edits: Sequence[Edit],
    schemas: Schemas,
) -> bool:
    new = apply_edits(text, edits)
    after = None if new is None else _read(files, path, new, schemas)
    return after is not None and differs_by_edits(before, after, edits)


def _read(files: ProjectFiles, path: str, text: str, schemas: Schemas) -> Desired | None:
    data = text.encode("utf-8", "surrogateescape")
    manifests = [ManifestFile(path, data)]
    return read_manifests(manifests, files.project, schemas, outside=files.external_people).value
