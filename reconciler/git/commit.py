"""The commit that the files were read at, for people who look at a plan later."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Final

_OBJECT_ID: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SECONDS: Final = 5.0


def head(directory: Path) -> str | None:
    """Return the id of the commit checked out in `directory`; None outside Git or when unsure.

    A plan is worth having without it, so no way in which git can fail fails the plan.
    """
    try:
        answer = subprocess.run(
            ("git", "-C", str(directory), "rev-parse", "--verify", "--quiet", "HEAD^{commit}"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"},
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    text = answer.stdout.decode("ascii", "replace").strip()
    return text if answer.returncode == 0 and _OBJECT_ID.fullmatch(text) else None
