"""The connection under a call, for what HTTP servers do not do of their own will: cut it, reset it.

The ASGI scope of each request carries its connection, see `wire_of`.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from typing import Any, Final, cast

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_EXTENSION: Final = "reconciler.wire"
_NO_LINGER: Final = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class Wire(HttpToolsProtocol):
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


def wire_of(scope: Scope) -> Wire:
    """Return the connection that a request came on."""
    wire = scope["extensions"][_EXTENSION]
    assert isinstance(wire, Wire)
    return wire
