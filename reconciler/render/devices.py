"""Devices of a plan made legible: what stands in every list of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import msgspec

from reconciler.plan.model import Change, Drift

from .escape import LABEL_LIMIT, name, prose, quoted


# Made by the ten thousand, and never walked by the collector: it holds no cycle.
class DeviceView(msgspec.Struct, frozen=True, gc=False):
    """One device; label (in quotes) and source are empty where there is none."""

    id: str
    application: str
    label: str
    source: str


def device_view(change: Change | Drift) -> DeviceView:
    """Make a device legible."""
    return DeviceView(
        id=name(change.device),
        application=name(change.application),
        label="" if change.label is None else quoted(change.label, LABEL_LIMIT),
        source="" if change.source is None else prose(change.source),
    )


class DeviceViews(Sequence[DeviceView]):
    """Devices that are made legible when they are shown: of very many only few are."""

    def __init__(self, changes: Sequence[Change]) -> None:
        self._changes = changes

    def __len__(self) -> int:
        return len(self._changes)

    @overload
    def __getitem__(self, index: int) -> DeviceView: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[DeviceView]: ...

    def __getitem__(self, index: int | slice) -> DeviceView | Sequence[DeviceView]:
        if isinstance(index, slice):
            return DeviceViews(self._changes[index])
        return device_view(self._changes[index])
