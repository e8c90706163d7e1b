"""A lock of Terraform's state protocol: what it says of its holder, and whether it is one of ours.

Promises: nothing that a server tells here is believed to be of any length or kind.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec

from reconciler import __version__

# What our locks begin with, and nobody else's: Terraform's are plain UUIDs.
_OURS: Final = "reconciler-"
_LONGEST: Final = 120


@dataclass(frozen=True, slots=True)
class LockInfo:
    """Who holds a lock, since when, under which ID; empty where the server does not tell."""

    id: str = ""
    operation: str = ""
    info: str = ""
    who: str = ""
    version: str = ""
    created: str = ""
    path: str = ""

    @property
    def is_ours(self) -> bool:
        """Whether some reconciler took it: for one write, thus for seconds."""
        return self.id.startswith(_OURS)

    def document(self) -> bytes:
        """Return it as Terraform writes it. All seven are there: GitLab asks for each of them."""
        return json.dumps(
            {
                "ID": self.id,
                "Operation": self.operation,
                "Info": self.info,
                "Who": self.who,
                "Version": self.version,
                "Created": self.created,
                "Path": self.path,
            }
        ).encode()

    def told(self) -> str:
        """Say who holds the lock, since when and under which ID, in one printable line."""
        who = in_short(self.who) or "somebody whom the server does not name"
        since = f" since {in_short(self.created)}" if self.created else ""
        lock = f" (lock {in_short(self.id)})" if self.id else ""
        return f"locked by {who}{since}{lock}"


def new_lock(who: str, path: str) -> LockInfo:
    """Return the lock for one write; no two have the same ID."""
    return LockInfo(
        id=f"{_OURS}{uuid.uuid4()}",
        operation="reconciler",
        info="One write; it takes seconds",
        who=who,
        version=__version__,
        created=datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        path=path,
    )


def read_lock(body: bytes) -> LockInfo:
    """Return the lock that a refusal tells of; what is not there, or is no text, is empty."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return LockInfo()
    if not isinstance(document, dict):
        return LockInfo()
    names = ("ID", "Operation", "Info", "Who", "Version", "Created", "Path")
    return LockInfo(*(_text(document, name) for name in names))


def in_short(text: str) -> str:
    """Return a text of somebody else as one printable line, cut where it grows long."""
    shown = " ".join("".join(one if one.isprintable() else " " for one in text[:4096]).split())
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def _text(document: Mapping[object, object], name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""
