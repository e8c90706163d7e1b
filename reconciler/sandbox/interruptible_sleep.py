"""Waiting inside of calls, in a way that the end of the server can cut short."""

from __future__ import annotations

import asyncio


class Pauses:
    """Let calls wait; used from the thread of the event loop only."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()
        self._ended = False

    async def pause(self, seconds: float, unless: asyncio.Future[None] | None = None) -> None:
        """Wait for so long, or until the server ends, or something else is done."""
        if self._ended:
            return
        loop = asyncio.get_running_loop()
        waiting = loop.create_future()
        timer = loop.call_later(seconds, _wake, waiting)
        self._waiting.add(waiting)

        def wake(_: object) -> None:
            _wake(waiting)

        if unless is not None:
            unless.add_done_callback(wake)
        try:
            await waiting
        finally:
            if unless is not None:
                unless.remove_done_callback(wake)
            timer.cancel()
            self._waiting.discard(waiting)

    def end(self) -> None:
        """Wake everybody; nobody waits from now on."""
        self._ended = True
        for waiting in self._waiting:
            _wake(waiting)


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
