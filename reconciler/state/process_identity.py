"""What a lock asks of the machine: where process numbers mean the same, who lives, how late it is.

Promises: `ticks_here` of two processes compare wherever `machine` of both is the same.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path


def machine() -> str:
    """Name the place in which a process number means the same process as here.

    Containers share host names without sharing process numbers, and a reboot starts them anew.
    """
    parts = [socket.gethostname()]
    try:
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip())
        parts.append(os.readlink("/proc/self/ns/pid"))
    except OSError:
        pass
    return " ".join(parts)


def alive_here(pid: int) -> bool:
    """Whether a process of this machine lives; True where that cannot be known."""
    if os.name != "posix":
        # Elsewhere signal 0 is not a question; expiry will tell.
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def ticks_here() -> float:
    """Return seconds since some moment before: they pass while the machine sleeps too."""
    if sys.platform == "linux":
        # The plain monotonic clock stands still in a suspended machine.
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    elif sys.platform == "darwin":
        return time.clock_gettime(time.CLOCK_MONOTONIC)
    else:
        return time.monotonic()
