"""Who runs this, for those who find the record leased or its place locked."""

from __future__ import annotations

import getpass
import os
import socket
from datetime import UTC, datetime

from reconciler.state.lease import Holder


def holder() -> Holder:
    """Say who is running this, for those who find the record leased."""
    environ = os.environ
    run_url = environ.get("CI_JOB_URL")
    if environ.get("GITHUB_RUN_ID"):
        server = environ.get("GITHUB_SERVER_URL", "https://github.com")
        repository = environ.get("GITHUB_REPOSITORY", "")
        run_url = f"{server}/{repository}/actions/runs/{environ['GITHUB_RUN_ID']}"
    return Holder(_who(), socket.gethostname(), os.getpid(), run_url, datetime.now(UTC))


def who_is_here() -> str:
    """Return name and host in one."""
    return f"{_who()}@{socket.gethostname()}"


def _who() -> str:
    who = os.environ.get("GITHUB_ACTOR") or os.environ.get("GITLAB_USER_LOGIN")
    if who:
        return who
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"user {os.getuid()}"


def their_run(holder: Holder) -> str:
    """Return a sentence with the page of a holder's CI run, if there is one."""
    return f" Its run: {holder.run_url}" if holder.run_url else ""
