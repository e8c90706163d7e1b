"""A store behind the state protocol of Terraform's http backend, which GitLab speaks too.

Promises: the protocol knows no conditions, so each write takes the lock, looks, writes and unlocks;
a lock that is not ours is never broken; no message holds credentials or a query.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from threading import Lock
from typing import Final, Protocol
from urllib.parse import urlsplit

import msgspec
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from reconciler.core.failures import StateError, Unanswered
from reconciler.core.secret import Secret
from reconciler.core.setting import Setting
from reconciler.core.state_backends import HttpBackend

from .http_addresses import Addresses, addresses
from .http_lock import LockInfo, in_short, new_lock, read_lock
from .process_identity import ticks_here
from .store import (
    OutOfReach,
    Overtaken,
    Part,
    StoreContext,
    Stored,
    denied,
    out_of_reach,
    unusable,
)

__all__ = ["Addresses", "Answer", "Http", "HttpStore", "Patience", "addresses"]

_LOCKED: Final = frozenset({HTTPStatus.CONFLICT, HTTPStatus.LOCKED})
_DONE: Final = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT})
_PASSING: Final = frozenset({*_LOCKED, 408, 425, 429, HTTPStatus.INTERNAL_SERVER_ERROR})


class Answer(Protocol):
    """A whole answer, whatever its status."""

    @property
    def status(self) -> int: ...

    @property
    def body(self) -> bytes: ...


class Http(Protocol):
    """Sends requests, with the credentials that belong to them. Threads share it."""

    def request(
        self, method: str, url: str, *, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        """Send once, follow nothing, return the whole answer. Raises core.failures.Unanswered."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Patience:
    """In seconds: how long a write waits for a lock of others, and for one of a reconciler.

    The latter is longer than `dead`, after which such a lock belongs to a writer that was killed:
    a living one gives up when it has not begun to send within `fresh`, and its request ends 25
    seconds later, five for a connection and 20 for the answer.
    """

    others: float = 20.0
    ours: float = 40.0
    dead: float = 30.0
    fresh: float = 5.0
    pause: float = 0.05
    longest_pause: float = 1.0


class _Held(Exception):
    """The lock is somebody else's."""

    def __init__(self, lock: LockInfo) -> None:
        super().__init__()
        self.lock = lock


@dataclass(frozen=True, slots=True)
class _Taken:
    """A lock that is ours since some moment after `asked`."""

    lock: LockInfo
    asked: float


class HttpStore:
    """The parts at two addresses; threads may share it, and take turns for a part.

    `who` names us in the locks. `ticks` counts seconds, `pause` waits some.
    """

    def __init__(
        self,
        http: Http,
        place: Addresses,
        *,
        who: str = "reconciler",
        patience: Patience | None = None,
        ticks: Callable[[], float] = ticks_here,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.where = place.where
        self._http = http
        self._places = {part: place.of(part) for part in Part}
        self._who = who
        self._patience = patience or Patience()
        self._ticks = ticks
        self._pause = pause
        self._turns = {part: Lock() for part in Part}
        # Locks that were asked for, and may be there although nobody will give them back.
        self._left: set[str] = set()
        # The lock that a part was last seen to have, and since when it is that one.
        self._seen: dict[Part, tuple[str, float]] = {}

    def read(self, part: Part) -> Stored | None:
        answer = self._sent("GET", self._places[part].address, None)
        if answer.status in (HTTPStatus.NOT_FOUND, HTTPStatus.NO_CONTENT):
            return None
        if answer.status != HTTPStatus.OK:
            raise self._failure("GET", answer)
        if not answer.body:
            return None
        trimmed = answer.body.strip()
        if not (trimmed.startswith(b"{") and trimmed.endswith(b"}")):
            # The page of a proxy, or an answer cut off in a way that HTTP cannot tell.
            raise out_of_reach(self.where, "GET answered 200 with what is no JSON document")
        return Stored(answer.body, _version(answer.body))

    def write(self, part: Part, data: bytes, expected: str | None) -> str:
        with self._turns[part]:
            taken = self._locked(part)
            try:
                version = self._written(part, data, expected, taken)
            except BaseException:
                # What went wrong before is what matters.
                with suppress(StateError):
                    self._unlock(part, taken.lock)
                raise
            # Written is written: a lock that stays is found and taken away by our next write.
            with suppress(OutOfReach):
                self._unlock(part, taken.lock)
            return version

    def close(self) -> None:
        self._http.close()

    def _written(self, part: Part, data: bytes, expected: str | None, taken: _Taken) -> str:
        stored = self.read(part)
        if (None if stored is None else stored.version) != expected:
            raise Overtaken
        if expected is None:
            self._prove(part)
        spent = self._ticks() - taken.asked
        if spent > self._patience.fresh:
            # Others may soon take us for dead, and not every server then refuses our write.
            raise out_of_reach(
                self.where, f"nothing was written: {spent:.0f} s had passed since the lock"
            )
        place = self._places[part]
        answer = self._sent(place.update_method, place.updating + taken.lock.id, data)
        if answer.status in _LOCKED:
            # The lock is not ours any more.
            raise Overtaken
        if answer.status not in _DONE:
            raise self._failure(place.update_method, answer)
        return _version(data)

    def _prove(self, part: Part) -> None:
        """Refuse a server that locks nothing: it would lose records. Once for each part."""
        again = new_lock(self._who, part.value)
        if self._lock_asked(part, again) is None:
            with suppress(StateError):
                self._unlock(part, again)
            method = self._places[part].lock_method
            raise unusable(self.where, f"{method} gave one lock to two at once")

    def _locked(self, part: Part) -> _Taken:
        began, patience = self._ticks(), self._patience

        def waited_enough(state: RetryCallState) -> bool:
            held = None if state.outcome is None else state.outcome.exception()
            ours = isinstance(held, _Held) and held.lock.is_ours
            return self._ticks() - began >= (patience.ours if ours else patience.others)

        tries = Retrying(
            retry=retry_if_exception_type(_Held),
            stop=waited_enough,
            wait=wait_random_exponential(multiplier=patience.pause, max=patience.longest_pause),
            sleep=self._pause,
            reraise=True,
        )
        try:
            return tries(lambda: self._lock(part))
        except _Held as held:
            lock, waited = held.lock, self._ticks() - began
        raise out_of_reach(self.where, f"{lock.told()}; waited {waited:.0f} s for it")

    def _lock(self, part: Part) -> _Taken:
        """Take the lock, from a dead writer too. Raises _Held if it is anybody else's."""
        asked = self._ticks()
        lock = new_lock(self._who, part.value)
        held = self._lock_asked(part, lock)
        if held is not None and self._is_nobodys(part, held):
            # Exactly this one: should it have gone meanwhile, the server refuses.
            self._unlock(part, held)
            asked = self._ticks()
            held = self._lock_asked(part, lock)
        if held is not None:
            self._watched(part, held)
            raise _Held(held)
        return _Taken(lock, asked)

    def _lock_asked(self, part: Part, lock: LockInfo) -> LockInfo | None:
        """Ask for a lock; return the one that stands in its way."""
        place = self._places[part]
        self._left.add(lock.id)
        answer = self._sent(place.lock_method, place.lock_address, lock.document())
        if answer.status in _DONE:
            return None
        if answer.status not in _LOCKED:
            raise self._failure(place.lock_method, answer)
        self._left.discard(lock.id)
        return read_lock(answer.body)

    def _is_nobodys(self, part: Part, held: LockInfo) -> bool:
        """Whether the holder cannot give it back: a write of ours that failed, or a dead one."""
        if held.id in self._left:
            return True
        return held.is_ours and self._watched(part, held) >= self._patience.dead

    def _watched(self, part: Part, held: LockInfo) -> float:
        """Return for how many seconds this very lock has been seen here."""
        now = self._ticks()
        lock, since = self._seen.get(part, ("", now))
        if lock != held.id:
            since = now
        self._seen[part] = held.id, since
        return now - since

    def _unlock(self, part: Part, lock: LockInfo) -> None:
        place = self._places[part]
        self._left.add(lock.id)
        answer = self._sent(place.unlock_method, place.unlock_address, lock.document())
        if answer.status not in _DONE | _LOCKED:
            raise self._failure(place.unlock_method, answer)
        self._left.discard(lock.id)

    def _sent(self, method: str, url: str, body: bytes | None) -> Answer:
        headers = {} if body is None else _headers(body)
        try:
            return self._http.request(method, url, body=body, headers=headers)
        except Unanswered as error:
            reason = f"{method}: {error}"
        raise out_of_reach(self.where, reason)

    def _failure(self, method: str, answer: Answer) -> StateError:
        status = answer.status
        reason = f"{method} answered {_named(status)}{self._said(answer.body)}"
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            return denied(self.where, reason)
        if 300 <= status < 400:
            return unusable(self.where, f"{reason}; redirects are not followed")
        if status in _PASSING or status < 300 or status > HTTPStatus.NOT_IMPLEMENTED:
            return out_of_reach(self.where, reason)
        return unusable(self.where, reason)

    def _said(self, body: bytes) -> str:
        """Return a piece of the server's own text, for people; pages and documents say nothing."""
        try:
            document = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            document = body[:4096].decode("utf-8", "replace")
        if isinstance(document, dict):
            document = next(
                (document[name] for name in ("message", "error") if name in document), ""
            )
        if not isinstance(document, str) or document.lstrip().startswith(("<", "{", "[")):
            return ""
        for place in self._places.values():
            for url in (place.address, place.lock_address, place.unlock_address):
                # Servers like to repeat what they were asked for.
                for pair in filter(None, urlsplit(url).query.split("&")):
                    document = document.replace(pair.partition("=")[2] or pair, "…")
        shown = in_short(document)
        return f": {shown}" if shown else ""


def open_http_store(backend: HttpBackend, context: StoreContext) -> HttpStore:
    """Return the store of these settings, without connecting.

    Raises ValueError for addresses and credentials that cannot be used, and what the context
    raises.
    """

    def resolve(setting: Setting | None) -> str | None:
        return None if setting is None else context.resolve(setting)

    lock_address, unlock_address = resolve(backend.lock_address), resolve(backend.unlock_address)
    address = context.resolve(backend.address)
    for setting in (backend.address, backend.lock_address, backend.unlock_address):
        if setting is not None:
            context.require_trusted(setting, context.resolve(setting))
    where = addresses(
        address,
        lock_address,
        unlock_address,
        backend.lock_method,
        backend.unlock_method,
        backend.update_method,
    )
    token = resolve(backend.token)
    username = password = None
    if token is None and backend.username is not None and backend.password is not None:
        username, password = resolve(backend.username), resolve(backend.password)
    client = context.connect_http(
        username=username,
        password=None if password is None else Secret(password),
        token=None if token is None else Secret(token),
    )
    return HttpStore(client, where, who=context.who)


def _headers(body: bytes) -> dict[str, str]:
    """Return the headers that Terraform sends with a body; some servers check the digest."""
    digest = hashlib.md5(body, usedforsecurity=False).digest()
    return {
        "Content-Type": "application/json",
        "Content-MD5": base64.b64encode(digest).decode("ascii"),
    }


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _version(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
