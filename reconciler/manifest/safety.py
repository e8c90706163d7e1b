"""Stage 1, `safety:` of a valid project file: budgets and protected devices."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import cast

from reconciler.core.fields import Scalar, as_yaml
from reconciler.core.safety import DEFAULT_BUDGETS, Budget, ProtectRule, Safety

from .positions import Positions
from .tree import Tree, items, mapping

_Map = Mapping[str, Tree]


def safety(tree: _Map, places: Positions) -> Safety:
    """Return what a plan may touch and what not; the defaults for what is left out."""
    budgets = {name: _budget(value) for name, value in mapping(tree.get("budgets")).items()}
    return Safety(
        {**DEFAULT_BUDGETS, **budgets},
        tuple(
            _rule(mapping(entry), places, number)
            for number, entry in enumerate(items(tree.get("protect")))
        ),
    )


def _budget(value: Tree) -> Budget:
    if isinstance(value, str):
        return Budget(percent=Decimal(value.removesuffix("%")))
    return Budget(devices=int(cast("float", value)))


def _rule(entry: _Map, places: Positions, number: int) -> ProtectRule:
    def glob(name: str) -> str | None:
        return str(entry[name]) if name in entry else None

    data = cast("Mapping[str, Scalar]", mapping(entry.get("additionalData")))
    return ProtectRule(
        places.value(("safety", "protect", number)),
        glob("id"),
        glob("label"),
        glob("application"),
        {key: as_yaml(value) for key, value in data.items()},
    )
