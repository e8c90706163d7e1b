"""`--write-patch`: the proposals of a plan as a patch of the manifests, proven by reading it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reconciler.core.device import Desired
from reconciler.core.safety import GONE
from reconciler.manifest.devices import read_manifests
from reconciler.manifest.patching import Edit, blocks, edited, means, patch
from reconciler.manifest.result import ManifestFile, Unreadable
from reconciler.manifest.schema import Schemas
from reconciler.plan.model import Action, Plan

from . import files
from .checking import Loaded, manifest_schemas
from .options import Options
from .outputs import save
from .streams import say


def is_patch(data: bytes) -> bool:
    """Whether a file is empty, or begins as a patch of ours does."""
    return not data.strip() or data.startswith(b"--- a/")


def write_patch(options: Options, loaded: Loaded, plan: Plan, out: Path) -> None:
    """Write a patch that gives gone devices their new ids and drops the entries of the others.

    What cannot be edited by lines, or would mean something else then, is left out and said.
    """
    edits = _edits(options, loaded.desired, plan)
    schemas = manifest_schemas()
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    left: list[Edit] = []
    count = 0
    for path, mine in edits.items():
        data = files.read(loaded.root / path, within=loaded.root)
        text = None if isinstance(data, Unreadable) else data.decode("utf-8", "surrogateescape")
        fitting = [] if text is None else _fitting(loaded, path, text, mine, schemas)
        kept = set(fitting)
        count += len(kept)
        left += [edit for edit in mine if edit not in kept]
        new = None if text is None or not fitting else edited(text, fitting)
        if text is not None and new is not None:
            before[path], after[path] = text, new
    for edit in left:
        what = f"{edit.source}: {edit.device} is left out of the patch; edit its entry by hand."
        say(options, "warning", what)
    if not before:
        say(options, "info", f"There is nothing to patch; {out} was not written.")
        return
    save(out, patch(before, after).encode("utf-8", "surrogateescape"))
    entries = f"{count:,} entr{'y' if count == 1 else 'ies'}"
    say(options, "info", f"Wrote a patch of {entries} to {out}. To take it: {_way(loaded, out)}")


def _way(loaded: Loaded, out: Path) -> str:
    """Say how to take a patch: its paths are those of the project's directory."""
    if loaded.root.resolve() == Path.cwd():
        return f"git apply {out}"
    return f"git -C {loaded.root} apply {out.absolute()}"


def _edits(options: Options, desired: Desired, plan: Plan) -> dict[str, list[Edit]]:
    replacements = {one.device: one.replacement for one in plan.proposals}
    refused = {refusal.guard for refusal in plan.refusals}
    for guard in sorted(refused):
        if guard.startswith(f"{GONE}:"):
            # With a wrong application code it would empty the manifests.
            what = f"The guard {guard} refuses this plan; its devices are left out of the patch."
            say(options, "warning", what)
    found: dict[str, list[Edit]] = {}
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
        found.setdefault(device.source.file, []).append(Edit(device.id, device.source, replacement))
    return found


def _fitting(
    loaded: Loaded, path: str, text: str, edits: Sequence[Edit], schemas: Schemas
) -> list[Edit]:
    """Return the edits that can be made together, and mean what they should."""
    before = _read(loaded, path, text, schemas)
    if before is None:
        return []

    def grown(fitting: list[Edit], more: Sequence[Edit]) -> list[Edit]:
        """Add what fits. By halves: a file is read whole for each try, and few do not fit."""
        if _fits(loaded, path, text, before, [*fitting, *more], schemas):
            return [*fitting, *more]
        if len(more) < 2:
            return fitting
        half = len(more) // 2
        return grown(grown(fitting, more[:half]), more[half:])

    return grown([], blocks(text, edits))


def _fits(
    loaded: Loaded,
    path: str,
    text: str,
    before: Desired,
    edits: Sequence[Edit],
    schemas: Schemas,
) -> bool:
    new = edited(text, edits)
    after = None if new is None else _read(loaded, path, new, schemas)
    return after is not None and means(before, after, edits)


def _read(loaded: Loaded, path: str, text: str, schemas: Schemas) -> Desired | None:
    data = text.encode("utf-8", "surrogateescape")
    files_ = [ManifestFile(path, data)]
    return read_manifests(files_, loaded.project, schemas, outside=loaded.outside).value
