"""What all reads share: with what they are made, and how many of them at once.

Reads go on with few tasks: workers that pull from one iterator.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from reconciler.api.service import Service
from reconciler.core.events import Listener
from reconciler.platform.assumptions import PAGE_PUSH, PAGES_WITH_TEXTS
from reconciler.platform.operations import Operation

T = TypeVar("T")

# As many as the client keeps in flight for one operation at the usual limits.
WORKERS: Final = 64


@dataclass(frozen=True, slots=True)
class ReadContext:
    """What reads are made with. `app_codes` by application name, `rates` requests a second after
    the quota share, `pinned` the readings of assumptions that the project pins."""

    service: Service
    app_codes: Mapping[str, str]
    rates: Mapping[Operation, float]
    listen: Listener
    pinned: Mapping[str, str] = field(default_factory=dict)

    @property
    def trusts_texts(self) -> bool:
        """Whether the project knows that text on a page is text, whatever it looks like."""
        pinned = self.pinned.get(PAGE_PUSH.name)
        return pinned is not None and pinned not in PAGES_WITH_TEXTS


async def each(items: Iterable[T], work: Callable[[T], Awaitable[None]], workers: int) -> None:
    """Do `work` on every item, `workers` at a time; the first failure ends all and is raised."""
    queue = iter(items)

    async def pull() -> None:
        # One iterator for all: taking the next item is one step, no two workers get the same.
        for item in queue:
            await work(item)

    await together(*(pull() for _ in range(workers)))


async def together(*reads: Awaitable[None]) -> None:
    """Wait for all; when one fails, cancel the others, wait for their end, and raise its error."""
    tasks = [asyncio.ensure_future(read) for read in reads]
    try:
        for task in asyncio.as_completed(tasks):
            await task
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
