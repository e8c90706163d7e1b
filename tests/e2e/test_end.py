"""The end of the process: at once, and nothing that was to come then is lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from reconciler import __version__

from .harness import TIMEOUT, Project

VERSION = f"reconciler {__version__}\n"


def _ran(
    directory: Path, before: str, *arguments: str, wanted: int = 0
) -> subprocess.CompletedProcess[str]:
    """Be the process of a command, after some lines of Python."""
    program = f"import sys\n{before}\nfrom reconciler.cli.main import run\n"
    program += f"sys.argv = ['reconciler', *{list(arguments)!r}]\nrun()\n"
    ran = subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd=directory,
        env=Project(directory).environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert wanted == ran.returncode, ran.stderr
    return ran


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import atexit; atexit.register(print, 'registered')", "registered\n"),
        (
            "import threading, time\n"
            "def late(): time.sleep(0.3); print('late')\n"
            "threading.Thread(target=late).start()",
            "late\n",
        ),
        ("import atexit; atexit.register(print, 'told', file=sys.stderr)", ""),
        ("import threading; threading.Thread(target=input, daemon=True).start()", ""),
        ("sys.setprofile(lambda *_: None)", ""),
    ],
    ids=["registered", "a thread", "on stderr", "a daemon", "a profiler"],
)
def test_what_was_to_come_at_the_end_comes(tmp_path: Path, before: str, after: str) -> None:
    """After the result, which is whole."""
    ran = _ran(tmp_path, before, "version")

    assert VERSION + after == ran.stdout
    if "stderr" in before:
        assert ran.stderr == "told\n"


def test_the_exit_code_is_that_of_the_command(tmp_path: Path) -> None:
    """Whatever is registered for the end changes it no more."""
    ran = _ran(tmp_path, "import atexit; atexit.register(sys.exit, 7)", "no-such", wanted=64)

    assert ran.stdout == ""
    assert "no-such" in ran.stderr


def test_nothing_is_freed_value_by_value(tmp_path: Path) -> None:
    """The finalizer of a value that lives in a module is not called: nothing waits for freeing."""
    before = "class Held:\n    def __del__(self): print('freed')\nheld = Held()"

    assert _ran(tmp_path, before, "version").stdout == VERSION
