"""Many reads at once with few tasks: workers that pull from one iterator."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar

T = TypeVar("T")

# As many as the client keeps in flight for one operation at the usual limits.
WORKERS: Final = 64


async def each(items: Iterable[T], work: Callable[[T], Awaitable[None]], workers: int) -> None:
    """Do `work` on every item, `workers` at a time; the first failure ends all and is raised."""
    queue = iter(items)

    async def pull() -> None:
        # One iterator for all: taking the next item is one step, no two workers get the same.
        for item in queue:
            await work(item)

    await together(*(pull() for _ in range(workers)))


async def together(*works: Awaitable[None]) -> None:
    """Wait for all; when one fails, cancel the others, wait for their end, and raise its error."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        for task in asyncio.as_completed(tasks):
            await task
    finally:
        for left in tasks:
            left.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
