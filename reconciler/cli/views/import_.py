"""What an import says when it is done: files on stdout, what it left out on stderr. No value."""

from __future__ import annotations

import json
import os

from reconciler.engine.import_registrations import Imported, Order, tell_folded
from reconciler.engine.project_files import Loaded

from ..settings import Options
from ..streams import result, say


def tell(options: Options, order: Order, imported: Imported) -> None:
    """Say what the files hold, and what is not in them."""
    if not imported.steady:
        text = "People came and went while they were read; some registrations may be missing."
        say(options, "warning", text, fix="Run it again: what is there already stays as it is.")
    tell_folded(
        options,
        "warning",
        [
            f"{one.device}: left out: {one.why}."
            if one.field is None
            else f"{one.device} {one.field}: left out: {one.why}."
            for one in imported.undeclared
        ],
    )
    picked = imported.picked
    for count, why in (
        (picked.declared, "declared already"),
        (picked.unowned, "owned by nobody (--only-owned)"),
        (picked.unmatched, "not matched (--match)"),
        (picked.beyond, f"beyond the first {order.wanted.most} (--max)"),
    ):
        if count:
            say(options, "info", f"Left out: {_devices(count)} {why}.")
    if not imported.manifests:
        say(options, "info", f"Nothing to write: {order.application} has no further devices.")
        return
    if any(manifest.people for manifest in imported.manifests):
        say(
            options,
            "warning",
            "The manifests hold identity values of people (externalId, phone number or e-mail), "
            "because that is what was asked for. Keep them where only those read who may.",
        )
    adopted = sum(len(manifest.devices) for manifest in imported.manifests)
    say(options, "info", f"Adopted {_devices(adopted)}: a plan finds no changes.")


def show(options: Options, loaded: Loaded, order: Order, imported: Imported, form: str) -> None:
    """Write the result to stdout."""
    prefix = os.path.relpath(loaded.root, options.origin)
    paths = [os.path.normpath(os.path.join(prefix, one.path)) for one in imported.manifests]
    if form == "text":
        width = max(map(len, paths), default=0)
        result(
            "".join(
                f"{path:{width}}  {_devices(len(one.devices))}\n"
                for path, one in zip(paths, imported.manifests, strict=True)
            )
        )
        return
    picked = imported.picked
    document = {
        "application": order.application,
        "files": [
            {"path": path, "devices": len(one.devices), "people": one.people}
            for path, one in zip(paths, imported.manifests, strict=True)
        ],
        "leftOut": {
            "declared": picked.declared,
            "unowned": picked.unowned,
            "unmatched": picked.unmatched,
            "beyondMax": picked.beyond,
        },
        "undeclared": [
            {"device": one.device, "field": one.field, "why": one.why}
            for one in imported.undeclared
        ],
        "steady": imported.steady,
    }
    result(json.dumps(document, ensure_ascii=False, indent=2))


def _devices(count: int) -> str:
    return f"{count:,} device{'' if count == 1 else 's'}"
