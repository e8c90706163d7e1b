"""A saved plan, read back and checked to be one."""

from __future__ import annotations

from pathlib import Path

from reconciler.manifest.result import Unreadable
from reconciler.plan.document import InvalidPlan, decode
from reconciler.plan.model import Plan

from .errors import InvalidDocument, UnreadableFile
from .files import read_file


def read_plan(file: Path) -> Plan:
    """Read a plan. Raises UnreadableFile; InvalidDocument if it is no plan, or was changed."""
    data = read_file(file)
    if isinstance(data, Unreadable):
        raise UnreadableFile(f"{file} cannot be read: {data.reason}.")
    try:
        return decode(data)
    except InvalidPlan as error:
        raise InvalidDocument(
            f"{file}: {error}.", "A plan is made with: reconciler plan -o FILE"
        ) from None
