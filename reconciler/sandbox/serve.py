"""Start and stop the sandbox: for the command line, or in a background thread of a test."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from types import TracebackType
from typing import Final, Self

import uvicorn

from reconciler.platform.world import World

from .account import Account, SandboxOptions
from .calls import LoggedCall
from .faults import FaultCount, Faults
from .server import create_application
from .socket_faults import ClientConnection, InterruptibleSleep

__all__ = ["HOST", "RunningSandbox", "SandboxOptions", "serve"]

HOST: Final = "127.0.0.1"
_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 10.0


def serve(options: SandboxOptions, ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM, then end cleanly; `ready` is told the URL once it listens.

    OSError if the port is taken.
    """
    server = _create_server(options, Account(options))
    # The world stays. A cycle collector that walks it again and again holds up calls for some
    # hundredths of a second, more than a client that goes to its limit can know of.
    gc.freeze()
    # Answers are trees without cycles, and a page makes thousands of values that soon go again.
    gc.set_threshold(100_000, 50, 100)
    with _open_listener(options.port) as listener:

        async def run() -> None:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, server.stop)
            server.when_started = lambda: ready(_url_of(listener))
            await server.serve([listener])

        with asyncio.Runner(loop_factory=_new_event_loop) as runner:
            runner.run(run())


class RunningSandbox:
    """A sandbox in a thread of this process, for as long as the `with` block lasts.

    `url` is the base URL; it is empty before the block. Its methods may be called from any thread.
    """

    def __init__(self, options: SandboxOptions | None = None) -> None:
        self._options = options or SandboxOptions()
        self._account = Account(self._options)
        self._server = _create_server(self._options, self._account)
        self._started = Event()
        self._failure: BaseException | None = None
        self._listener: socket.socket | None = None
        self._thread: Thread | None = None
        self.url = ""

    def __enter__(self) -> Self:
        if self._thread is not None:
            raise RuntimeError("a sandbox runs once; make another one")
        listener = _open_listener(self._options.port)
        self.url = _url_of(listener)
        self._server.when_started = self._started.set
        self._thread = Thread(
            target=self._run, args=(listener,), name="reconciler-sandbox", daemon=True
        )
        self._thread.start()
        if not self._started.wait(_START_SECONDS) or self._failure is not None:
            raise RuntimeError("the sandbox did not start") from self._failure
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.stop()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables with which the examples' projects find this service.

        INFOBIP_BASE_URL, INFOBIP_API_KEY, and for each application code that ends in `-code` a
        variable of that name: `courier-app-code` stands in COURIER_APP_CODE. RuntimeError before
        the `with` block.
        """
        if not self.url:
            raise RuntimeError("the sandbox has no address before it runs")
        return environment_variables(self.url, self._account.world.applications)

    def world(self) -> World:
        """Return the world as it is now."""
        return self._account.world

    def set_world(self, world: World) -> None:
        """Serve another world from now on."""
        self._account.set_world(world)

    def calls(self) -> tuple[LoggedCall, ...]:
        """Return the latest calls, in the order in which they were over."""
        return self._account.log.calls()

    def forget_calls(self) -> None:
        """Begin the call log again."""
        self._account.log.clear()

    def change(self, registration_id: str, merge: Mapping[str, object]) -> None:
        """Let the app or a colleague change a registration, beside the API: a JSON merge patch of
        isPrimary, registrationEnabled, owner (a person's number or None), additionalData,
        systemData.

        Raises UnknownRegistration, which is a LookupError, if it is not there; ValueError if the
        patch is no good.
        """
        self._account.change(registration_id, merge)

    def uninstall(self, registration_id: str) -> None:
        """Let the app be uninstalled: the registration is gone. Raises UnknownRegistration."""
        self._account.uninstall(registration_id)

    def set_faults(self, specs: Sequence[str], seed: int = 0) -> None:
        """Let calls meet these faults from now on, and no others; ValueError if one is no good."""
        self._account.faults = Faults(specs, seed)

    def clear_faults(self) -> None:
        """Let calls meet no faults any more."""
        self._account.faults = Faults()

    def faults(self) -> tuple[FaultCount, ...]:
        """Return the faults in force and how often each was met and hit."""
        return self._account.faults.counts()

    def _run(self, listener: socket.socket) -> None:
        try:
            with listener, asyncio.Runner(loop_factory=_new_event_loop) as runner:
                runner.run(self._server.serve([listener]))
        except BaseException as error:  # noqa: BLE001 (told to the thread that waits)
            self._failure = error
        finally:
            self._started.set()


def environment_variables(url: str, app_codes: Iterable[str]) -> dict[str, str]:
    """Return the variables that the examples read: the URL, a key, application codes by name."""
    return {
        "INFOBIP_BASE_URL": url,
        # Any key is good but one that says `revoked` or `forbidden`.
        "INFOBIP_API_KEY": "any-key-will-do",
        **{code.upper().replace("-", "_"): code for code in app_codes if code.endswith("-code")},
    }


class _Server(uvicorn.Server):
    """A server that leaves signals alone, and tells when it listens."""

    when_started: Callable[[], None] | None = None
    sleeper: InterruptibleSleep

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn raises a caught signal again when it has ended; a clean end is what we want.
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.when_started is not None:
            self.when_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.sleeper.interrupt_all()
        await super().shutdown(sockets)

    def stop(self) -> None:
        self.should_exit = True


def _create_server(options: SandboxOptions, account: Account) -> _Server:
    sleeper = InterruptibleSleep()
    server = _Server(
        uvicorn.Config(
            create_application(account, options, sleeper),
            http=ClientConnection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            # Longer than any client keeps an idle connection: none is closed under a request.
            timeout_keep_alive=300,
            timeout_graceful_shutdown=1,
            # Said, for what is left unsaid is looked for in the environment.
            workers=1,
            proxy_headers=False,
            forwarded_allow_ips="",
        )
    )
    server.sleeper = sleeper
    return server


def _new_event_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:  # not on Windows
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def _open_listener(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def _url_of(listener: socket.socket) -> str:
    return f"http://{HOST}:{listener.getsockname()[1]}"
