"""What the commands of `state` say: a state started, pushed, copied, written anew."""

from __future__ import annotations

import os
from pathlib import Path

from reconciler.cli.settings import Options
from reconciler.cli.streams import say
from reconciler.core.counting import counted
from reconciler.core.state_backends import Backend, backend_spec, setting_values
from reconciler.engine.project_state import Initialised
from reconciler.engine.state_transfer import Copied, Pushed, Rewritten


def write_state_created(options: Options, path: Path) -> None:
    """Say that a local file was made, which had better not get into Git."""
    shown = os.path.relpath(path, options.origin)
    text = f"Started a state of what is applied: {shown} (keep it out of Git)."
    say(options, "info", text)


def initialised_text(initialised: Initialised) -> str:
    """Return what `state init` has done, in a sentence."""
    if initialised.is_new:
        return f"Started a state at {initialised.where}."
    devices = counted(initialised.devices, "device")
    return f"There is a state at {initialised.where}; it has {devices}."


def pushed_text(pushed: Pushed) -> str:
    """Return what a push has done, in a sentence."""
    if pushed.serial is None:
        return f"The state at {pushed.where} is this one already."
    return f"Pushed {_record_of(pushed.devices)} to {pushed.where}, serial {pushed.serial}."


def copied_text(copied: Copied, target: Backend) -> str:
    """Return what a copy has done, and what to write in the project file for it."""
    return (
        f"{pushed_text(copied.pushed)}\nWrite this into the project file:\n\n"
        f"{state_section(target)}\n\n"
        f"The old state stays at {copied.old_where}; remove it when the new one is in use."
    )


def rewritten_text(rewritten: Rewritten) -> str:
    """Return what writing a state anew has done, in a sentence."""
    if not rewritten.is_written:
        return f"The state at {rewritten.where} has today's format."
    how = "encrypted" if rewritten.is_encrypted else "not encrypted"
    return f"Wrote {_record_of(rewritten.devices)} anew at {rewritten.where}, {how}."


def state_section(backend: Backend) -> str:
    """Return the section `state` of a backend; what has a variable by convention is named by it."""
    spec = backend_spec(backend)
    lines = [f"backend: {spec.name}"]
    # Where credentials are settings they stand on lines of their own, or will.
    is_block = any(
        setting.variable is not None and setting.attribute != spec.url_attribute
        for setting in spec.settings
    )
    for setting, value in setting_values(backend):
        if isinstance(value, str):
            # A literal, which is at its default: no URL says it.
            continue
        reference = None if setting.variable is None else f"${{{setting.variable}}}"
        if reference is not None and not is_block:
            reference = f"'{reference}'"
        lines.append(f"{setting.name}: {reference or value.text}")
    if is_block:
        return "\n".join(("state:", *(f"  {line}" for line in lines)))
    return f"state: {{{', '.join(lines)}}}"


def _record_of(devices: int) -> str:
    return f"a state of {counted(devices, 'device')}"
