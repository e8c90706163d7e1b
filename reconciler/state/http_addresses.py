"""Where a state of the http backend stands: the address of each part and of its lock.

Promises: no address holds credentials; those of the two parts differ.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import SplitResult, urlsplit, urlunsplit

from .store import Part

_GITLAB: Final = re.compile(r"/api/v4/projects/[^/]+/terraform/state/[^/]+\Z")
_METHOD: Final = re.compile(r"[A-Z]{1,20}")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where one part is read and written, locked and unlocked, and by which methods."""

    address: str
    lock_address: str
    unlock_address: str
    lock_method: str
    unlock_method: str
    update_method: str

    @property
    def where(self) -> str:
        """The address as people may see it: a query can hold a token."""
        return urlunsplit(urlsplit(self.address)._replace(query="", fragment=""))

    @property
    def updating(self) -> str:
        """The address with a place for the lock's ID at its end."""
        parts = urlsplit(self.address)
        kept = [pair for pair in parts.query.split("&") if pair and not pair.startswith("ID=")]
        return urlunsplit(parts._replace(query="&".join([*kept, "ID="])))

    def of(self, part: Part) -> Addresses:
        """Return the addresses of a part: the run stands beside the state, as NAME-run."""
        if part is Part.RECORD:
            return self
        base = self.where
        return replace(
            self,
            address=_beside(self.address, base),
            lock_address=_beside(self.lock_address, base),
            unlock_address=_beside(self.unlock_address, base),
        )


def addresses(
    address: str,
    lock_address: str | None = None,
    unlock_address: str | None = None,
    lock_method: str | None = None,
    unlock_method: str | None = None,
    update_method: str | None = None,
) -> Addresses:
    """Return the state's addresses; what is None is as GitLab has it, or else Terraform.

    Raises ValueError, with no address in it, for what cannot be one.
    """
    split = _checked("the address", address)
    address = urlunsplit(split)
    is_gitlab = _GITLAB.search(split.path) is not None
    lock = urlunsplit(split._replace(path=f"{split.path}/lock")) if is_gitlab else address
    resolved = Addresses(
        address,
        lock if lock_address is None else urlunsplit(_checked("lockAddress", lock_address)),
        lock if unlock_address is None else urlunsplit(_checked("unlockAddress", unlock_address)),
        lock_method or ("POST" if is_gitlab else "LOCK"),
        unlock_method or ("DELETE" if is_gitlab else "UNLOCK"),
        update_method or "POST",
    )
    if split.path.rpartition("/")[2] == "":
        raise ValueError("the address of the state has no name at the end of its path")
    for name, other in (
        ("lockAddress", resolved.lock_address),
        ("unlockAddress", resolved.unlock_address),
    ):
        if not other.startswith(resolved.where) or other[len(resolved.where) :][:1].isalnum():
            # Else it could not be told where the other part is locked.
            raise ValueError(f"{name} of the state does not begin with its address")
    for method in (resolved.lock_method, resolved.unlock_method, resolved.update_method):
        if not _METHOD.fullmatch(method):
            raise ValueError("a method of the state's address is not in capital letters")
    return resolved


def _checked(name: str, url: str) -> SplitResult:
    """Return a URL in its pieces, without a fragment, which is never sent."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError(f"{name} of the state is no URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not _is_plain(url):
        raise ValueError(f"{name} of the state is no http:// or https:// URL")
    if "@" in parts.netloc:
        raise ValueError(
            f"{name} of the state has a user or a password; they have settings of their own: "
            "username and password, or token"
        )
    return parts._replace(fragment="")


def _is_plain(url: str) -> bool:
    # A space or a backslash is read in several ways by those who read URLs.
    return url.isascii() and url.isprintable() and not set(' \\"<>^`{|}') & set(url)


def _beside(address: str, base: str) -> str:
    return f"{base}-run{address[len(base) :]}"
