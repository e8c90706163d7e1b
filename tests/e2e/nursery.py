"""`reconciler` in a process of its own for each command, without an interpreter's start each time.

The parent imports everything once and has no thread; each command is a child that it forks, with a
directory, an environment and three streams given to it, and enters where `python -m reconciler`
does. What a start itself does - imports, compiled modules, hash seeds - is left to tests that start
one. Run as a program: serves on the socket that is file descriptor `sys.argv[1]`.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NoReturn

# Of the last call of a message comes more than one packet; three descriptors come with the first.
_STREAMS: Final = 3
_PACKET: Final = 1 << 16


class Child:
    """A command at work in a process of its own; its stdout and stderr are pipes."""

    def __init__(
        self,
        arguments: tuple[str, ...],
        directory: Path,
        environment: Mapping[str, str],
        stdin: int | None = None,
    ) -> None:
        """Start it; without a descriptor for stdin it reads an end."""
        out, theirs_out = os.pipe()
        err, theirs_err = os.pipe()
        theirs_in = os.open(os.devnull, os.O_RDONLY) if stdin is None else os.dup(stdin)
        self._streams = {out: bytearray(), err: bytearray()}
        self._open = {out, err}
        self._code: int | None = None
        self._parent = socket.socket(socket.AF_UNIX)
        asked = {
            "arguments": arguments,
            "directory": str(directory),
            "environment": dict(environment),
        }
        try:
            self._parent.connect(str(_nursery().address))
            data = json.dumps(asked).encode() + b"\n"
            sent = socket.send_fds(self._parent, [data], [theirs_in, theirs_out, theirs_err])
            self._parent.sendall(data[sent:])
        finally:
            for number in (theirs_in, theirs_out, theirs_err):
                os.close(number)
        self._told = self._parent.makefile("r", encoding="ascii")
        self.pid = int(self._told.readline())

    @property
    def returncode(self) -> int:
        """The exit code, or the signal that ended it with a minus; it has to have ended."""
        if self._code is None:
            self._code = int(self._told.readline())
            self._told.close()
            self._parent.close()
        return self._code

    def line_of_stderr(self) -> str:
        """Take the next line of stderr; empty: there is none any more."""
        _, number = self._streams
        heard = self._streams[number]
        while b"\n" not in heard and number in self._open:
            self._hear(number)
        length = heard.find(b"\n") + 1 or len(heard)
        line = bytes(heard[:length])
        del heard[:length]
        return line.decode("utf-8")

    def communicate(self, timeout: float) -> tuple[str, str]:
        """Wait for its end and return what it has said and nobody has taken yet."""
        end = time.monotonic() + timeout
        with selectors.DefaultSelector() as selector:
            for number in self._open:
                selector.register(number, selectors.EVENT_READ)
            while self._open:
                ready = selector.select(max(0.0, end - time.monotonic()))
                if not ready:
                    self.kill()
                    raise subprocess.TimeoutExpired("reconciler", timeout)
                for key, _ in ready:
                    if not self._hear(key.fd):
                        selector.unregister(key.fd)
        assert self.returncode is not None
        out, err = (_text(heard) for heard in self._streams.values())
        return out, err

    def kill(self) -> None:
        """End it now, if it has not ended."""
        # Its number is not given to another before its parent has heard of its end, and told.
        if self._code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """End it, wait for that, and close its streams."""
        self.kill()
        assert self.returncode is not None
        for number in tuple(self._open):
            self._open.discard(number)
            os.close(number)

    def _hear(self, number: int) -> bool:
        """Read what is there, at least a byte; False: that was all."""
        data = os.read(number, _PACKET)
        self._streams[number] += data
        if not data:
            self._open.discard(number)
            os.close(number)
        return bool(data)


def _text(data: bytearray) -> str:
    """Return text as `subprocess` does: every end of a line is one character."""
    return data.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")


class _Nursery:
    """The parent, for as long as this process lives: it ends when its stdin does."""

    def __init__(self) -> None:
        self._directory = TemporaryDirectory(prefix="nursery-")
        self.address = Path(self._directory.name) / "socket"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.address))
            listener.listen()
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "tests.e2e.nursery", str(listener.fileno())],
                env={
                    "PATH": os.environ.get("PATH", ""),
                    "LANG": "C.UTF-8",
                    "PYTHONPATH": str(Path(__file__).resolve().parent.parent.parent),
                },
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                pass_fds=[listener.fileno()],
            )
        atexit.register(self._end)

    def _end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        self._directory.cleanup()


_one: _Nursery | None = None


def _nursery() -> _Nursery:
    global _one
    if _one is None:
        _one = _Nursery()
    return _one


def address() -> Path:
    """Return the socket at which commands are asked for; the parent is there."""
    return _nursery().address


def _serve(listener: socket.socket) -> tuple[bytes, list[int]] | None:
    """Fork a child for whoever asks, and tell its number and then its exit code.

    In the child it returns what to be; in the parent nothing, at the end.
    """
    waiting: dict[int, socket.socket] = {}
    ended, wake = socket.socketpair()
    for end in (ended, wake):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake.fileno())
    with selectors.DefaultSelector() as selector:
        for one in (sys.stdin.fileno(), listener.fileno(), ended.fileno()):
            selector.register(one, selectors.EVENT_READ)
        while True:
            ready = {key.fd for key, _ in selector.select()}
            if ended.fileno() in ready:
                ended.recv(_PACKET)
                _tell_ends(waiting)
            if listener.fileno() in ready:
                asking, _ = listener.accept()
                text, streams = _asked(asking)
                child = os.fork()
                if child == 0:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    for connection in (ended, wake, asking, *waiting.values()):
                        connection.close()
                    return text, streams
                for number in streams:
                    os.close(number)
                waiting[child] = asking
                _tell(asking, child)
            if sys.stdin.fileno() in ready:
                return None


def _asked(asking: socket.socket) -> tuple[bytes, list[int]]:
    data, streams, _, _ = socket.recv_fds(asking, _PACKET, _STREAMS)
    while not data.endswith(b"\n"):
        data += asking.recv(_PACKET)
    return data, streams


def _tell(asking: socket.socket, number: int) -> None:
    # Whoever asked may have gone.
    with contextlib.suppress(OSError):
        asking.sendall(b"%d\n" % number)


def _tell_ends(waiting: dict[int, socket.socket]) -> None:
    while waiting:
        child, status = os.waitpid(-1, os.WNOHANG)
        if child == 0:
            return
        with waiting.pop(child) as asking:
            _tell(asking, os.waitstatus_to_exitcode(status))


def _become(text: bytes, streams: list[int]) -> NoReturn:
    """Be the command: as a new interpreter would be that was started so."""
    import reconciler
    from reconciler.cli.main import run

    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    # What is a pipe, a file or a terminal now was none of them when the parent's were made.
    sys.stdin, sys.stdout, sys.stderr = sys.__stdin__, sys.__stdout__, sys.__stderr__ = (
        open(0, encoding="utf-8", errors=sys.stdin.errors, closefd=False),  # noqa: SIM115
        open(1, "w", encoding="utf-8", errors=sys.stdout.errors, closefd=False),  # noqa: SIM115
        open(2, "w", 1, "utf-8", sys.stderr.errors, closefd=False),  # noqa: SIM115
    )
    asked = json.loads(text)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["directory"])
    sys.argv = [str(Path(reconciler.__file__).parent / "__main__.py"), *asked["arguments"]]
    run()


def _main() -> None:
    import reconciler

    for module in pkgutil.walk_packages(reconciler.__path__, "reconciler."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    assert threading.active_count() == 1
    # Children share what is there already, and must not walk it again.
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as listener:
        asked = _serve(listener)
    if asked is not None:
        _become(*asked)


if __name__ == "__main__":
    _main()
