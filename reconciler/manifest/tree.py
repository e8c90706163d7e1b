"""What YAML and JSON say, as Python has it; and parts of it that may not be what they should be."""

from __future__ import annotations

from typing import TypeAlias

Tree: TypeAlias = "bool | int | float | str | list[Tree] | dict[str, Tree] | None"


def mapping(tree: Tree) -> dict[str, Tree]:
    """Return a mapping; an empty one for all else."""
    return tree if isinstance(tree, dict) else {}


def items(tree: Tree) -> list[Tree]:
    """Return a list; an empty one for all else."""
    return tree if isinstance(tree, list) else []
