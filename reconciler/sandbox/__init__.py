"""The service, simulated: a world behind HTTP on this machine, with faults on request.

In reading order:

embedded            `sandbox(...)`: the simulated service as a context manager, for people's tests
launch              what `reconciler sandbox` needs: readings, a world from its file, its start
serve               start and stop it: in this process until a signal, or in a background thread
server              HTTP in front of an account: requests to calls, answers to bytes
control             `/_sandbox`: the world, the call log, the faults, while it runs
account             one account: its world, its readings, its limits, and its changes from outside
admission           who may call, and how often: credentials, tokens that expire, requests a second
page_order          in which order people stand on pages, kept from call to call
external_change     a JSON merge patch of a registration, beside the API
fleet               a generated world of any size
calls               the call log
spec                the text of a fault, read
fault               a fault as a value: for which calls, when, what it does
faults              the faults in force, and which one a call meets
fault_effects       what a fault does to the call that it hits
answers             answers as bytes, the true ones and a faulty gateway's
socket_faults       the connection under a call: cut it, reset it, wait while it stands

The room can be called, and is then `embedded.sandbox`: `reconciler.sandbox` is the name of both.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .serve import RunningSandbox


class _CallableRoom(ModuleType):
    """The import of any of its modules binds the room to `reconciler.sandbox`, in place of a
    function of that name; so the room itself is what people call."""

    def __call__(self, **arguments: Any) -> RunningSandbox:
        # Here, because most who import a module of the room need no HTTP server.
        from .embedded import sandbox

        return sandbox(**arguments)


sys.modules[__name__].__class__ = _CallableRoom
