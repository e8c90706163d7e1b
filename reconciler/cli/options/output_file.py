"""`-o FILE` and its like: a file that a command writes at its end, refused before it begins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click


def require_replaceable(file: Path | None, kind: str, is_one: Callable[[bytes], bool]) -> None:
    """Refuse a path that cannot be written, or holds what is no such thing itself.

    `kind` names it in messages: "plan".
    """
    if file is None:
        return
    from reconciler.engine import output_files
    from reconciler.engine.errors import NotReplaceable

    if str(file) == "-":
        raise click.UsageError(f"A {kind} goes to a file; one on stdout is --format json.")
    try:
        output_files.require_replaceable(file, kind, is_one)
    except NotReplaceable as error:
        raise click.UsageError(error.message) from None
