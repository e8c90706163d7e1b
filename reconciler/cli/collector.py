"""What Python does for memory, out of the way: its collector of cycles, and freeing at the end."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_KEPT: Final[list[object]] = []


@contextmanager
def without_collector() -> Iterator[None]:
    """Stop the collector meanwhile: it would walk every value made so far, again and again.

    What is there afterwards is not walked later either.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


def keep_to_the_end(value: object) -> None:
    """Hold a value until the process ends, which frees all its memory at once: value by value, as
    when the last who knows it returns, a large fleet takes a second."""
    _KEPT.append(value)
