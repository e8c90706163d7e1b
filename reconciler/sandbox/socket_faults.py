"""The connection under a call: cut it, reset it, or let the call wait while it stands.

HTTP servers do none of that of their own will. The ASGI scope of each request carries its
connection, see `connection_of`.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from typing import Any, Final, cast

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_EXTENSION: Final = "reconciler.connection"
_NO_LINGER: Final = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class ClientConnection(HttpToolsProtocol):
    """One connection of a client."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # Done when the connection is no more, whoever ended it.
        self.lost: asyncio.Future[None] = self.loop.create_future()
        self._held = False

    def is_gone(self) -> bool:
        """Whether nothing that is sent can arrive any more."""
        return self.transport.is_closing()

    def hold(self) -> None:
        """Say that nobody may ever answer the call at hand; the server closes the connection when
        it ends, which would else wait for an answer."""
        self._held = True

    async def close(self) -> None:
        """Close after what was sent, however much of the answer that is."""
        self.transport.close()
        await self.lost

    async def reset(self) -> None:
        """Close by a TCP RST instead of the polite FIN."""
        if not self.is_gone():
            number = self.transport.get_extra_info("socket").fileno()
            # A duplicate, since not every event loop lets its own socket be configured; the option
            # belongs to the connection, and linger 0 turns its close into a reset.
            with socket.fromfd(number, socket.AF_INET, socket.SOCK_STREAM) as duplicate:
                duplicate.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            self.transport.abort()
        await self.lost

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._held = False
        cast(Scope, self.scope)["extensions"] = {_EXTENSION: self}

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if not self.lost.done():  # a cancelled call has cancelled it
            self.lost.set_result(None)

    def shutdown(self) -> None:
        super().shutdown()
        if self._held:
            self.transport.close()


def connection_of(scope: Scope) -> ClientConnection:
    """Return the connection that a request came on."""
    connection = scope["extensions"][_EXTENSION]
    assert isinstance(connection, ClientConnection)
    return connection


class InterruptibleSleep:
    """Lets calls wait until the server ends; used from the thread of the event loop only."""

    def __init__(self) -> None:
        self._futures: set[asyncio.Future[None]] = set()
        self._is_over = False

    async def sleep(self, seconds: float, until: asyncio.Future[None] | None = None) -> None:
        """Wait for so long, or until the server ends, or something else is done."""
        if self._is_over:
            return
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        timer = loop.call_later(seconds, _wake, future)
        self._futures.add(future)

        def wake(_: object) -> None:
            _wake(future)

        if until is not None:
            until.add_done_callback(wake)
        try:
            await future
        finally:
            if until is not None:
                until.remove_done_callback(wake)
            timer.cancel()
            self._futures.discard(future)

    def interrupt_all(self) -> None:
        """Wake everybody; nobody waits from now on."""
        self._is_over = True
        for future in self._futures:
            _wake(future)


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
