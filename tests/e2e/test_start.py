"""Starting is quick: a light command imports little, and help and version are there at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from .harness import Project

HEAVY: Final = frozenset(
    {
        *{"asyncio", "httpx", "aiohttp", "yaml", "jsonschema", "jsonschema_rs", "deepdiff"},
        *{"msgspec", "rich", "jinja2", "starlette", "uvicorn", "sqlite3", "immutables", "email"},
    }
)


@pytest.mark.parametrize("arguments", [("--help",), ("version",), ("plan", "--help")], ids=" ".join)
def test_a_light_command_imports_nothing_heavy(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Help and version pay for click and nothing else."""
    program = (
        "import sys\n"
        "from reconciler.cli.main import outcome\n"
        f"outcome({list(arguments)!r})\n"
        f"print('heavy:', *sorted({set(HEAVY)!r} & set(sys.modules)))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd=tmp_path,
        env=Project(tmp_path).environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert ran.stdout.splitlines()[-1] == "heavy:"


@pytest.mark.parametrize(("arguments", "limit"), [(("--help",), 0.200), (("version",), 0.120)])
def test_cpu_of_a_light_command(tmp_path: Path, arguments: tuple[str, ...], limit: float) -> None:
    """The least CPU of several runs: other work on this machine only ever adds to it."""
    environment = Project(tmp_path).environment()
    least = min(cpu_seconds(arguments, tmp_path, environment) for _ in range(8))

    assert least < limit


def cpu_seconds(arguments: tuple[str, ...], directory: Path, environment: dict[str, str]) -> float:
    """Run a command and return its user and system time."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "reconciler", *arguments],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_utime + usage.ru_stime
