"""Who runs this, for those who find the state locked: read from the environment of a run."""

from __future__ import annotations

import os
import pwd
import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from reconciler.state.lease import Holder

# Who started a pipeline's run; then the user, in the order of the login tools.
_ACTORS: Final = (
    *("GITHUB_ACTOR", "GITLAB_USER_LOGIN"),
    *("LOGNAME", "USER", "LNAME", "USERNAME"),
)


def describe_holder(environ: Mapping[str, str]) -> Holder:
    """Return who runs this now: a pipeline's actor and the page of its run, else user and host."""
    run_url = environ.get("CI_JOB_URL")
    if environ.get("GITHUB_RUN_ID"):
        server = environ.get("GITHUB_SERVER_URL", "https://github.com")
        repository = environ.get("GITHUB_REPOSITORY", "")
        run_url = f"{server}/{repository}/actions/runs/{environ['GITHUB_RUN_ID']}"
    return Holder(_user(environ), socket.gethostname(), os.getpid(), run_url, datetime.now(UTC))


def user_at_host(environ: Mapping[str, str]) -> str:
    """Return name and host in one."""
    return f"{_user(environ)}@{socket.gethostname()}"


def _user(environ: Mapping[str, str]) -> str:
    for variable in _ACTORS:
        if name := environ.get(variable):
            return name
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"
