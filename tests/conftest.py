"""What all tests share: golden files, quick hypothesis profiles, and the marked soak runs."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings

from .e2e import warm
from .e2e.harness import BYTECODE

# Two cores are shared by several workers: time says nothing about a single example.
settings.register_profile(
    "suite",
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("soak", parent=settings.get_profile("suite"), max_examples=1000)
settings.load_profile(os.environ.get("RECONCILER_HYPOTHESIS", "suite"))


def pytest_configure(config: pytest.Config) -> None:
    """Keep compiled modules for the commands of tests, though none may be written in the clone."""
    if sys.dont_write_bytecode and BYTECODE not in os.environ:
        room = TemporaryDirectory(prefix="bytecode-")
        config.add_cleanup(room.cleanup)
        os.environ[BYTECODE] = room.name
    config.add_cleanup(warm.end)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write what came out over the expected files of tests/scenarios and others",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Let a soak run say how it goes while it goes: in this process, for workers have no voice."""
    if config.getoption("-m") == "soak":
        config.option.numprocesses = 0


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked soak unless a marker expression asks for it."""
    if config.getoption("-m"):
        return
    soaks = [item for item in items if item.get_closest_marker("soak")]
    if soaks:
        config.hook.pytest_deselected(items=soaks)
        items[:] = [item for item in items if not item.get_closest_marker("soak")]


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> Iterator[None]:
    """Let us and children hear SIGINT, also where the tests run as a shell's background job."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def update_golden(pytestconfig: pytest.Config) -> bool:
    """Whether expected files are to be written rather than compared."""
    return bool(pytestconfig.getoption("--update-golden"))
