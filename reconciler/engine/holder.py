"""Who runs this: the person or pipeline that those are told of who find the state locked."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from reconciler.state.lease import Holder

# Where a system says who is logged in, in the order of the standard library's getpass.
_LOGIN_VARIABLES: Final = ("LOGNAME", "USER", "LNAME", "USERNAME")


def current_holder(environ: Mapping[str, str]) -> Holder:
    """Return who runs this process, where and since now, with the page of its CI job if any."""
    run_url = environ.get("CI_JOB_URL")
    if environ.get("GITHUB_RUN_ID"):
        server = environ.get("GITHUB_SERVER_URL", "https://github.com")
        repository = environ.get("GITHUB_REPOSITORY", "")
        run_url = f"{server}/{repository}/actions/runs/{environ['GITHUB_RUN_ID']}"
    return Holder(
        _user_name(environ), socket.gethostname(), os.getpid(), run_url, datetime.now(UTC)
    )


def holder_name(holder: Holder) -> str:
    """Return name and host in one."""
    return f"{holder.who}@{holder.host}"


def _user_name(environ: Mapping[str, str]) -> str:
    for variable in ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", *_LOGIN_VARIABLES):
        name = environ.get(variable)
        if name:
            return name
    try:
        # Not everywhere.
        from pwd import getpwuid

        return getpwuid(os.getuid()).pw_name
    except (ImportError, OSError, KeyError):
        # A container often has a number for a user, and no name for it.
        return f"user {os.getuid()}"
