"""serve: ends cleanly on a signal, listens on 127.0.0.1 only, refuses a taken port."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from reconciler.sandbox.serve import RunningSandbox, SandboxOptions

_PROGRAM = """
from reconciler.sandbox.serve import SandboxOptions, serve
serve(SandboxOptions(people=3), lambda url: print(url, flush=True))
print("ended")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(number: signal.Signals) -> None:
    """After SIGINT or SIGTERM `serve` returns, and the process ends with 0."""
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().strip()
        with urllib.request.urlopen(f"{url}/_sandbox/calls", timeout=10) as answer:
            assert 200 == answer.status
        process.send_signal(number)
        assert (0, "ended\n", "") == (
            process.wait(10),
            process.stdout.read(),
            process.stderr.read(),
        )


def test_a_taken_port_is_an_error() -> None:
    """Two sandboxes cannot have one port."""
    with RunningSandbox() as running:
        port = int(running.url.rpartition(":")[2])
        with pytest.raises(OSError), RunningSandbox(SandboxOptions(port=port)):
            pass


def test_it_is_gone_after_the_block() -> None:
    """Nothing listens when the block has ended."""
    with RunningSandbox() as running:
        host, _, port = running.url.removeprefix("http://").partition(":")
    assert "127.0.0.1" == host
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5)
