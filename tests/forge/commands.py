"""What GitHub's runner obeys in what a step prints: `::error::text`, and `##[error]text`."""

from __future__ import annotations

import re
from typing import Final

_OBEYED: Final = frozenset(
    [
        "add-mask",
        "add-matcher",
        "debug",
        "echo",
        "endgroup",
        "error",
        "group",
        "notice",
        "remove-matcher",
        "save-state",
        "set-output",
        "stop-commands",
        "warning",
    ]
)
# The first stands where a line begins, the second anywhere in one.
_COMMAND: Final = re.compile(
    r"^\s*::(?P<new>[^\s:]+)(?: [^:]*)?::(?P<text>.*)"
    r"|##\[(?P<old>[\w-]+)(?: [^\]]*)?\](?P<more>.*)"
)


def obeyed(said: str) -> list[str]:
    """Return the commands in their order; after `stop-commands` there is none but its token."""
    found: list[str] = []
    token = None
    for line in said.splitlines():
        command = _COMMAND.search(line)
        if command is None:
            continue
        name = command["new"] or command["old"]
        if token is not None:
            token = None if name == token else token
        elif name in _OBEYED:
            found.append(name)
            if name == "stop-commands":
                token = command["text"] or command["more"]
    return found
