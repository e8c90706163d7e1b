"""Sandboxes that the tests of one module share; each test puts its own world into them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.sandbox.serve import RunningSandbox, SandboxOptions

from .paused import world


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    """A sandbox without limits."""
    with RunningSandbox(SandboxOptions(limits=None)) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def running_slowly() -> Iterator[RunningSandbox]:
    """A sandbox whose answers take as long as it takes to meet a command in the middle."""
    with RunningSandbox(SandboxOptions(world=world(), limits=None, latency=0.02)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running_slowly: RunningSandbox) -> RunningSandbox:
    """The slow sandbox as it was in the beginning, for tests that do not put a world into one."""
    running_slowly.clear_faults()
    running_slowly.set_world(world())
    running_slowly.forget_calls()
    return running_slowly
