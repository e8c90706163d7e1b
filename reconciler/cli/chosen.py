"""From the options that choose devices to a selection, with every name in it known."""

from __future__ import annotations

from reconciler.core.record import Record
from reconciler.diff.selection import Selection, Trait, unknown_keys, unknown_targets

from .checking import Loaded
from .choosing import Narrowing
from .exits import ExitCode, Stop
from .options import Options
from .streams import did_you_mean


def selection_of(options: Options, loaded: Loaded, asked: Narrowing) -> Selection:
    """Return what the options mean; reads what the files were, if they ask. Stop for a key that
    nobody declares, or a commit that is not known."""
    past = None
    if asked.since is not None:
        from .since import past_since

        past = past_since(options, loaded, asked.since)
    traits = tuple(Trait(key, glob) for key, glob in asked.selects)
    selection = Selection(asked.given, frozenset(asked.targets), traits, past)
    for key in unknown_keys(selection, loaded.desired):
        known = {name for one in loaded.desired.devices.values() for name in one.additional_data}
        hint = did_you_mean(key, sorted({"label", *known}))
        raise Stop(
            ExitCode.USAGE,
            f"--select {_shown(key)}: no device declares this key of additionalData.{hint}",
        )
    return selection


def require_known(loaded: Loaded, record: Record, selection: Selection) -> None:
    """Stop for a target that neither the files nor the record know."""
    for target in unknown_targets(selection, loaded.desired, record):
        known = sorted(loaded.desired.devices.keys() | record.devices.keys())
        raise Stop(
            ExitCode.USAGE,
            f"--target {_shown(target)}: no manifest declares this id, and the record does not "
            f"know it.{did_you_mean(target, known)}",
        )


def _shown(text: str) -> str:
    from reconciler.render.escape import prose

    return prose(text, 100)
