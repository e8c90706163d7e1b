"""The last line of a soak run: after everything else, so that it can be quoted."""

from __future__ import annotations

import pytest

from .campaign import Totals

TOTALS = pytest.StashKey[Totals]()


def pytest_unconfigure(config: pytest.Config) -> None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    totals = config.stash.get(TOTALS, None)
    if reporter is not None and totals is not None:
        reporter.write_line(str(totals))
