"""Processes for commands, forked from one that has imported everything.

Python and its imports are most of what a short command costs. A child has a process number, a
directory, an environment, streams and an end of its own; of an interpreter's start it sees
nothing, which tests of flags, of imports and of signals at the start do not accept: they start one.

The parent is this module run as a program, one for each process that asks. It is asked through a
socket: by `Process`, and for scripts by `warm_client.py`, a program on their PATH. A request is its
length and `marshal` of (program, arguments, directory, environment), and comes with the streams;
the answer is the process number and, at the end, the exit code (-9: killed).
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import marshal
import os
import select
import selectors
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Final, TextIO

_CLIENT: Final = Path(__file__).with_name("warm_client.py")
_RECONCILER: Final = "reconciler"
_WORD: Final = 4
_CHUNK: Final = 1 << 16


def command(
    arguments: tuple[str, ...],
    directory: Path,
    environment: Mapping[str, str],
    stdin: str,
    timeout: float,
) -> tuple[int, str, str]:
    """Run a command to its end; return its exit code (-9: killed) and what it wrote.

    Raises `subprocess.TimeoutExpired` if it has not ended within `timeout` seconds.
    """
    with TemporaryFile() as given, TemporaryFile() as out, TemporaryFile() as err:
        given.write(stdin.encode())
        given.seek(0)
        streams = (given.fileno(), out.fileno(), err.fileno())
        with begun(arguments, directory, environment, streams) as process:
            code = process.wait(timeout)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode())
    if code is None:
        raise subprocess.TimeoutExpired(arguments, timeout, texts[0].encode())
    return code, texts[0], texts[1]


class Process:
    """A forked process at work."""

    def __init__(
        self,
        arguments: tuple[str, ...],
        directory: Path,
        environment: Mapping[str, str],
        streams: tuple[int, ...],
    ) -> None:
        asked = marshal.dumps((_RECONCILER, list(arguments), str(directory), dict(environment)))
        data = len(asked).to_bytes(_WORD) + asked
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.connect(str(_parent()))
        sent = socket.send_fds(self._connection, [data], streams)
        self._connection.sendall(data[sent:])
        self.pid = self._word()
        self._code: int | None = None

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for its end; return its exit code, or None if it has not ended in time."""
        if self._code is None and select.select([self._connection], [], [], timeout)[0]:
            self._code = self._word()
        return self._code

    def poll(self) -> int | None:
        """Return its exit code once it has ended."""
        return self.wait(0)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has just ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def end(self) -> None:
        """Kill it if it has not ended, and wait for that."""
        self.signal(signal.SIGKILL)
        self.wait()
        self._connection.close()

    def _word(self) -> int:
        data = self._connection.recv(_WORD, socket.MSG_WAITALL)
        assert len(data) == _WORD, "the parent of the forked processes has died"
        return int.from_bytes(data, signed=True)


@contextmanager
def begun(
    arguments: tuple[str, ...],
    directory: Path,
    environment: Mapping[str, str],
    streams: tuple[int, ...],
) -> Iterator[Process]:
    """Begin a command with these streams; it does not outlive the block."""
    process = Process(arguments, directory, environment, streams)
    try:
        yield process
    finally:
        process.end()


class Piped:
    """A command at work whose streams are pipes."""

    def __init__(self, process: Process, stdout: TextIO, stderr: TextIO) -> None:
        self.process, self.stdout, self.stderr = process, stdout, stderr

    def rest(self, timeout: float) -> tuple[int, str, str]:
        """Wait for its end; return its exit code and the rest of what it wrote.

        Raises `subprocess.TimeoutExpired` if it has not ended within `timeout` seconds.
        """
        texts = {"out": "", "err": ""}

        def read(name: str, stream: TextIO) -> None:
            texts[name] = stream.read()

        readers = [
            threading.Thread(target=read, args=one)
            for one in (("out", self.stdout), ("err", self.stderr))
        ]
        for reader in readers:
            reader.start()
        code = self.process.wait(timeout)
        if code is None:
            self.process.signal(signal.SIGKILL)
        for reader in readers:
            reader.join()
        if code is None:
            raise subprocess.TimeoutExpired(_RECONCILER, timeout, str(texts).encode())
        return code, texts["out"], texts["err"]


@contextmanager
def piped(
    arguments: tuple[str, ...], directory: Path, environment: Mapping[str, str]
) -> Iterator[Piped]:
    """Begin a command with nothing on stdin; it does not outlive the block."""
    with ExitStack() as stack:
        given = stack.enter_context(open(os.devnull, "rb"))
        (out, writes_out), (err, writes_err) = os.pipe(), os.pipe()
        stdout, stderr = (stack.enter_context(open(one, encoding="utf-8")) for one in (out, err))
        try:
            streams = (given.fileno(), writes_out, writes_err)
            process = stack.enter_context(begun(arguments, directory, environment, streams))
        finally:
            for one in (writes_out, writes_err):
                os.close(one)
        yield Piped(process, stdout, stderr)


def line_of_shell(program: str = _RECONCILER) -> str:
    """Return what a script of the shell does to become a program: `reconciler`, or a module."""
    words = (sys.executable, "-I", "-S", str(_CLIENT), str(_parent()), program)
    return f'exec {shlex.join(words)} "$@"'


@cache
def _parent() -> Path:
    """Start the parent; return the socket at which it is asked. It ends when this process does."""
    from .harness import interpreter

    room = TemporaryDirectory(prefix="warm-")
    path = Path(room.name, "socket")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        # Who connects before the parent accepts is kept waiting, and not refused.
        listener.listen(64)
        variables = {
            key: one for key, one in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"
        }
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.e2e.warm", str(listener.fileno())],
            env={**variables, **interpreter()},
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
            # A Ctrl-C at the terminal is meant for the tests.
            start_new_session=True,
        )
    _running.append((process, room))
    return path


_running: Final[list[tuple[subprocess.Popen[bytes], TemporaryDirectory[str]]]] = []


def end() -> None:
    """End the parent, if there is one, and wait for that."""
    while _running:
        process, room = _running.pop()
        assert process.stdin is not None
        process.stdin.close()
        process.wait()
        room.cleanup()
    _parent.cache_clear()


class _Parent:
    """The process that has imported everything: forks for whoever asks, and has no thread."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)
        self._selector.register(sys.stdin, selectors.EVENT_READ)
        self._asking: dict[int, socket.socket] = {}
        self._wakeup, woken = socket.socketpair()
        for one in (self._wakeup, woken):
            one.setblocking(False)
        self._woken = woken
        signal.set_wakeup_fd(self._wakeup.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._selector.register(woken, selectors.EVENT_READ)

    def serve(self) -> None:
        """Serve until stdin is closed, which is when whoever started this has ended."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is sys.stdin:
                    return
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj is self._woken:
                    self._woken.recv(_CHUNK)
                    self._tell_ends()
                else:
                    self._give_up(key.data)

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        data, streams, _, _ = socket.recv_fds(connection, _CHUNK, 3)
        while len(data) < _WORD or len(data) < _WORD + int.from_bytes(data[:_WORD]):
            more = connection.recv(_CHUNK)
            assert more, "a request without its end"
            data += more
        program, arguments, directory, variables = marshal.loads(data[_WORD:])
        if program != _RECONCILER:
            # Here, so that it is imported once for all who ask.
            importlib.import_module(program)
        child = os.fork()
        if child == 0:
            try:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                # A shell's background job has it ignored.
                signal.signal(signal.SIGINT, signal.default_int_handler)
                ours = (self._listener, self._wakeup, self._woken, connection)
                for other in (*ours, *self._asking.values()):
                    other.close()
                environment = {os.fsdecode(key): os.fsdecode(one) for key, one in variables.items()}
                _be(program, arguments, directory, environment, streams)
            except SystemExit as ended:
                sys.stdout.flush()
                os._exit(ended.code if isinstance(ended.code, int) else _complain(ended.code))
            except BaseException:  # noqa: BLE001 (the end of a process: told on its stderr)
                sys.excepthook(*sys.exc_info())
            finally:
                os._exit(1)
        for stream in streams:
            os.close(stream)
        connection.sendall(child.to_bytes(_WORD, signed=True))
        self._asking[child] = connection
        self._selector.register(connection, selectors.EVENT_READ, child)

    def _tell_ends(self) -> None:
        while self._asking:
            child, status = os.waitpid(-1, os.WNOHANG)
            if not child:
                return
            code = os.waitstatus_to_exitcode(status)
            connection = self._asking.pop(child)
            self._selector.unregister(connection)
            with connection, contextlib.suppress(BrokenPipeError):
                connection.sendall(code.to_bytes(_WORD, signed=True))

    def _give_up(self, child: int) -> None:
        """Kill a process that nobody waits for any more."""
        if child in self._asking:
            connection = self._asking.pop(child)
            self._selector.unregister(connection)
            connection.close()
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _complain(code: object) -> int:
    if code is not None:
        sys.stderr.write(f"{code}\n")
    return int(code is not None)


def _be(
    program: str,
    arguments: list[str],
    directory: str,
    environment: dict[str, str],
    streams: list[int],
) -> None:
    """Become the process of a program."""
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    # What TMPDIR says is asked once in a process.
    tempfile.tempdir = None
    for number, file in enumerate(streams):
        os.dup2(file, number)
        os.close(file)
    sys.stdin, sys.stdout, sys.stderr = (
        io.TextIOWrapper(
            io.BufferedReader(io.FileIO(number, closefd=False))
            if number == 0
            else io.BufferedWriter(io.FileIO(number, "w", closefd=False)),
            encoding="utf-8",
            errors="backslashreplace" if number == 2 else "strict",
            line_buffering=number == 2,
        )
        for number in range(3)
    )
    sys.argv = [program, *arguments]
    if program == _RECONCILER:
        from reconciler.cli.main import run

        run()
    sys.exit(importlib.import_module(program).main(arguments))


def _rehearse() -> None:
    """Run the main job here, so that no child need do again what every first run does."""
    from reconciler.cli.main import outcome
    from reconciler.sandbox.fleet import fleet
    from reconciler.sandbox.serve import RunningSandbox, SandboxOptions

    options = SandboxOptions(world=fleet(100), limits=None)
    with (
        TemporaryDirectory(prefix="rehearsal-") as root,
        RunningSandbox(options) as sandbox,
        TemporaryFile("w+", encoding="utf-8") as told,
        contextlib.redirect_stdout(told),
        contextlib.redirect_stderr(told),
    ):
        os.environ["INFOBIP_BASE_URL"] = sandbox.url
        os.environ["INFOBIP_API_KEY"] = "a-key"
        os.environ["COURIER_APP_CODE"] = "courier-app-code"
        for arguments in (
            *(["init"], ["validate"], ["fmt", "--check"], ["plan", "-o", "plan.json"]),
            *(["show", "plan.json", "--format", form] for form in ("markdown", "html", "json")),
            *(["apply", "plan.json"], ["drift"]),
        ):
            assert outcome(["-C", root, *arguments]) == 0, arguments
    assert threading.active_count() == 1
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    importlib.import_module("tests.e2e.everything")
    _rehearse()
    _Parent(socket.socket(fileno=int(sys.argv[1]))).serve()
