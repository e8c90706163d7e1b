"""Stage 2, page by page: reads everybody, the last page before all others and again after them.

Oldest first, so that who appears meanwhile stands behind all others and moves nobody.
"""

from __future__ import annotations

from typing import Final

from reconciler.api.people import PageReader
from reconciler.api.service import Service
from reconciler.core.events import Listener, Progress
from reconciler.core.sweep_query import Page, SweepQuery

from .strategy import pages_of, sweep_calls
from .sweep_result import Swept
from .workers import each

# As many pages at once as latency needs at the usual limit; each takes some megabytes.
_AT_ONCE: Final = 8
# Where people come and go all the time, another sweep is as unsteady as this one.
SWEEPS: Final = 3


async def sweep(
    service: Service, sought: SweepQuery, reader: PageReader, first: Page, listen: Listener
) -> Swept:
    """Read all pages, and return what they show. `first` is the first page, read to count them.

    Raises the first ApiError. Never more than as many pages again as the first count said.
    """
    size = len(first.numbers)
    if first.total is None:
        return await _uncounted(service, sought, reader, first, listen)
    last = pages_of(first.total, size) if size else 1
    swept = Swept(sought, last)
    if last == 1:
        swept.add(1, first)
        listen(Progress("pages", 1, 1))
        return await _appended(service, swept, reader, first, last, size)
    calls = sweep_calls(last)
    done = 1

    async def read(number: int) -> None:
        nonlocal done
        swept.add(number, await service.page(number, reader))
        done += 1
        listen(Progress("pages", done, calls))

    # Whoever vanishes after this moves the last page; so it must be here before others are asked
    # for. The first page counted them before that, and is read again.
    await read(last)
    await each(range(1, last), read, min(_AT_ONCE, last - 1))
    page = await service.page(last, reader)
    swept.add_again(last, page)
    listen(Progress("pages", calls, calls))
    return await _appended(service, swept, reader, page, last, size)


async def _appended(
    service: Service, swept: Swept, reader: PageReader, page: Page, last: int, size: int
) -> Swept:
    """Read those who appeared behind the last page, if it has filled up meanwhile."""
    for number in range(last + 1, 2 * last + 2):
        if len(page.numbers) < size or (page.total or 0) <= (number - 1) * size:
            break
        page = await service.page(number, reader)
        swept.add(number, page)
    return swept


async def _uncounted(
    service: Service, sought: SweepQuery, reader: PageReader, page: Page, listen: Listener
) -> Swept:
    """Read page after page until one has nobody: the answers do not say how many there are."""
    swept = Swept(sought, last=0)
    number = 1
    while page.numbers:
        swept.add(number, page)
        listen(Progress("pages", number, number))
        number += 1
        page = await service.page(number, reader)
    return swept
