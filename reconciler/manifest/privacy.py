"""Stage 1, `privacy:` of a valid project file: what outputs may show of people and of fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.core import codes
from reconciler.core.device import Desired
from reconciler.core.diagnostics import Diagnostic
from reconciler.core.fields import data_key, data_path
from reconciler.core.identity import IdentityKind
from reconciler.core.privacy import ALL_DATA, Privacy
from reconciler.core.suggestion import closest

from .messages.field_text import shown
from .positions import Positions
from .tree import Tree, items


def privacy(tree: Mapping[str, Tree], places: Positions) -> Privacy:
    """Return what may be shown; nobody and everything is what is left out."""
    return Privacy(
        frozenset(IdentityKind(str(kind)) for kind in items(tree.get("show"))),
        {
            str(path): places.value(("privacy", "hide", number))
            for number, path in enumerate(items(tree.get("hide")))
        },
    )


def hides_nothing(privacy: Privacy, desired: Desired) -> Iterator[Diagnostic]:
    """Warn of each hidden key that no device declares: misspelt, it would hide nothing."""
    if not privacy.hide:
        return
    declared = {key for device in desired.devices.values() for key in device.additional_data}
    for path, place in privacy.hide.items():
        key = data_key(path)
        if path == ALL_DATA or key is None or key in declared:
            continue
        meant = closest(key, sorted(declared))
        yield Diagnostic(
            codes.HIDES_NOTHING,
            f"No manifest declares {shown(path)}",
            place,
            fix=None if meant is None else f"Did you mean {shown(data_path(meant))}?",
        )
