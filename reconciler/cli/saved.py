"""A saved plan, read back and checked to be one."""

from __future__ import annotations

from pathlib import Path

from reconciler.manifest.result import Unreadable
from reconciler.plan.document import BadPlan, decode
from reconciler.plan.model import Plan

from .exits import ExitCode, Stop
from .files import read


def read_plan(file: Path, code: ExitCode) -> Plan:
    """Read a plan; `code` is how the command ends when the file is no plan, or was changed."""
    data = read(file)
    if isinstance(data, Unreadable):
        raise Stop(ExitCode.ERROR, f"{file} cannot be read: {data.reason}.")
    try:
        return decode(data)
    except BadPlan as error:
        text = str(error)
        raise Stop(
            code, f"{file}: {text}.", "A plan is made with: reconciler plan -o FILE"
        ) from None
