"""World x manifests x faults x interruptions, over the real command line: all promises are kept.

A few seeds in the suite; `pytest -m soak` goes on for half an hour, or as many minutes as
RECONCILER_SOAK_MINUTES says, from the seed in RECONCILER_SOAK_SEED.
"""

from __future__ import annotations

import itertools
import math
import os
import time
from pathlib import Path
from typing import Final

import pytest

from .campaign import run_all
from .conftest import TOTALS

# Among them: kills, interrupts, rivals, denials, a lag, hangs, and trouble that lasts.
SEEDS: Final = (3, 6, 11, 13, 15, 17, 18, 23)
_JOBS: Final = 6


def folder(config: pytest.Config) -> Path:
    """Return where failures are written; Git does not see it."""
    assert config.cache is not None
    return config.cache.mkdir("soak")


def test_all_promises_are_kept_whatever_fails(pytestconfig: pytest.Config) -> None:
    """For some fixed seeds."""
    said: list[str] = []
    # Without lines of progress, what is said is what failed, however slow the machine.
    totals = run_all(
        iter(SEEDS), jobs=_JOBS, folder=folder(pytestconfig), say=said.append, every=math.inf
    )
    assert (len(SEEDS), []) == (totals.cases, said)


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_all_promises_are_kept_for_half_an_hour(
    pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    """For as many seeds as there is time for."""
    reporter = pytestconfig.pluginmanager.get_plugin("terminalreporter")
    assert reporter is not None, "a soak run says how it goes: run it with -n 0"
    minutes = float(os.environ.get("RECONCILER_SOAK_MINUTES", "30"))
    first = int(os.environ.get("RECONCILER_SOAK_SEED", "1"))

    def say(text: str) -> None:
        with capsys.disabled():
            reporter.write_line(f"{time.strftime('%H:%M:%S')} {text}")

    say(f"soak: {minutes:g} min, from seed {first}")
    totals = run_all(
        itertools.count(first),
        jobs=_JOBS,
        folder=folder(pytestconfig),
        say=say,
        seconds=minutes * 60,
    )
    pytestconfig.stash[TOTALS] = totals
    assert [] == totals.failures
