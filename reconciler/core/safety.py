"""What a project forbids or limits: how much of a fleet one plan may touch, and what never."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from .source import Source

# Guards beside the risks of a plan (plan.model.Risk), which are guards by their own names.
LEAVING: Final = "leaving"
GONE: Final = "gone"


@dataclass(frozen=True, slots=True)
class Budget:
    """How many devices one plan may touch in one way without consent: a number, or a share.

    A share is in per cent, of the devices that the guard counts among; of a few devices it says
    nothing, so up to `few` are allowed whatever the share.
    """

    devices: int | None = None
    percent: Decimal = Decimal(0)
    few: int = 0

    def allows(self, count: int, total: int) -> bool:
        """Whether so many of all are within the budget."""
        if self.devices is not None:
            return count <= self.devices
        return count <= self.few or 100 * count <= self.percent * total


# A share of less than ten devices is no fleet-wide mistake: a person reads ten lines.
_READ: Final = 10
DEFAULT_BUDGETS: Final[Mapping[str, Budget]] = MappingProxyType(
    {
        "owner-change": Budget(percent=Decimal(10), few=_READ),
        "detach": Budget(percent=Decimal(10), few=_READ),
        "primary-change": Budget(percent=Decimal(30), few=_READ),
        "key-removal": Budget(percent=Decimal(30), few=_READ),
        "disable": Budget(percent=Decimal(10), few=_READ),
        "lead-promotion": Budget(percent=Decimal(10), few=_READ),
        LEAVING: Budget(percent=Decimal(10), few=3),
        GONE: Budget(percent=Decimal(50), few=3),
    }
)


@dataclass(frozen=True, slots=True)
class ProtectRule:
    """Devices that no plan detaches, moves to another owner or forgets: those that fit all globs.

    Globs match in full and by case; `data` holds them by key of additionalData. None: any.
    """

    source: Source
    id: str | None = None
    label: str | None = None
    application: str | None = None
    data: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Safety:
    """`safety:` of the project file. `budgets` has every guard that a budget can have."""

    budgets: Mapping[str, Budget] = field(default_factory=lambda: DEFAULT_BUDGETS)
    protect: tuple[ProtectRule, ...] = ()

    @property
    def looks_at_data(self) -> bool:
        """Whether a rule can only be decided by live additionalData."""
        return any(rule.data for rule in self.protect)
