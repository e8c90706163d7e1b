"""Match: whose many identities are, in few calls; how many go into one is found out.

Numbers of people come back. Who is left out of an answer is unknown: nobody, or not told. So is
who cannot be asked about. Where the service refuses the call itself, or fails it for good, nobody
is asked about in this way any more in the run, which is told once; there is `persons` to fall back
on.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from reconciler.core.events import Event, MatchRefused
from reconciler.core.identity import IdentityKind, IdentityValue, canonical_identity
from reconciler.core.live import Matchable, RegistrationKey
from reconciler.platform.operations import Identifier

from .decode import decode_json
from .errors import ApiError, Denied
from .json_part import whole

# How many identities the first call names. No maximum is documented: calls that are taken grow, up
# to what anybody thinks of; calls that are refused shrink.
FIRST_SIZE: Final = 50
LARGEST_SIZE: Final = 1000
# Calls of one round; how many each names is decided after it, so that equal runs ask alike.
_AT_ONCE: Final = 8
# Refusals of a call that names one identity, before any was taken: then it is not about the one.
_MOST_SINGLES: Final = 3
_TOO_MANY: Final = frozenset({400, 413, 414, 422, 431})
_IDENTIFIER_TYPES: Final = {
    IdentityKind.EXTERNAL_ID: "EXTERNAL_ID",
    IdentityKind.PHONE_NUMBER: "PHONE",
    IdentityKind.EMAIL: "EMAIL",
}
_KINDS: Final = {name: kind for kind, name in _IDENTIFIER_TYPES.items()}

_Key = tuple[str, str, str | None]


class Matcher:
    """Asks about any number of identities by as many calls as are needed.

    `ask` makes one call, or raises ApiError; `listen` is told when it is refused.
    """

    def __init__(
        self,
        ask: Callable[[Sequence[Matchable]], Awaitable[Mapping[Matchable, int]]],
        listen: Callable[[Event], None],
        first_size: int = FIRST_SIZE,
    ) -> None:
        self._ask = ask
        self._listen = listen
        self._first_size = max(1, min(first_size, LARGEST_SIZE))
        self._size = self._first_size
        # The least that was refused; what is no smaller is not tried again.
        self._refused_size: int | None = None
        self._has_taken = False
        self._singles_refused = 0
        self.is_refused = False

    @property
    def size(self) -> int:
        """How many identities a call names now."""
        return self._size

    async def match(self, keys: Iterable[Matchable]) -> dict[Matchable, int]:
        """Return the number of the person of each; who is missing is unknown.

        Raises ApiError only for credentials that are not accepted at all, and BreakerTripped.
        """
        waiting = deque(dict.fromkeys(keys))
        numbers: dict[Matchable, int] = {}
        while waiting and not self.is_refused:
            batches: list[list[Matchable]] = []
            while waiting and len(batches) < _AT_ONCE:
                batches.append([waiting.popleft() for _ in range(min(self._size, len(waiting)))])
            answers = await asyncio.gather(*map(self._try, batches), return_exceptions=True)
            again: list[Matchable] = []
            for batch, answer in zip(batches, answers, strict=True):
                if isinstance(answer, BaseException):
                    raise answer
                if answer is not None:
                    numbers.update(answer)
                    self._grow(len(batch))
                elif self._shrink(len(batch)):
                    again += batch
            waiting.extendleft(reversed(again))
        return numbers

    async def _try(self, batch: Sequence[Matchable]) -> Mapping[Matchable, int] | None:
        """Ask once; None if the call was refused for what it names, or for how much."""
        try:
            return await self._ask(batch)
        except ApiError as error:
            if isinstance(error, Denied) and error.status == 401:
                raise
            if error.status not in _TOO_MANY:
                self._refuse(error)
                return {}
            if len(batch) == 1:
                self._note_single_refused(error)
            return None

    def _grow(self, taken: int) -> None:
        self._has_taken = True
        larger = min(self._size * 2, LARGEST_SIZE)
        if taken == self._size and (self._refused_size is None or larger < self._refused_size):
            self._size = larger

    def _shrink(self, refused: int) -> bool:
        """Note that a call of so many was refused; return whether they can be asked in smaller
        ones."""
        if refused > 1:
            self._refused_size = min(refused, self._refused_size or refused)
            self._size = min(self._size, refused // 2)
            return True
        # It was about this one, and so may have been the larger calls that it stood in.
        self._refused_size = None
        self._size = self._first_size
        return False

    def _note_single_refused(self, error: ApiError) -> None:
        self._singles_refused += 1
        if self._singles_refused >= _MOST_SINGLES and not self._has_taken:
            self._refuse(error)

    def _refuse(self, error: ApiError) -> None:
        if not self.is_refused:
            self.is_refused = True
            self._listen(MatchRefused(str(error)))


def identifier_of(key: Matchable) -> Identifier:
    """Return how a match names an identity or a registration."""
    match key:
        case RegistrationKey(id_, application_id):
            return Identifier("PUSH", id_, application_id)
        case IdentityValue():
            return Identifier(_IDENTIFIER_TYPES[key.kind], key.reveal())


def decode_matches(body: bytes, asked: Sequence[Matchable]) -> dict[Matchable, int]:
    """Read the answer to a match; raises Garbled where it is none.

    What is not understood is passed over entry by entry, and so is who was not asked about. Who is
    answered with two numbers is unknown.
    """
    document = decode_json(_ANSWER, whole(body).text)
    by_key = {_key_of(identifier_of(key)): key for key in asked}
    numbers: dict[Matchable, int] = {}
    doubtful: set[Matchable] = set()
    for entry in document.matches:
        named = _read_entry(entry)
        if named is None:
            continue
        key = by_key.get(named[0])
        if key is not None and numbers.setdefault(key, named[1]) != named[1]:
            doubtful.add(key)
    return {key: number for key, number in numbers.items() if key not in doubtful}


class _Answer(msgspec.Struct):
    matches: list[msgspec.Raw]


_ANSWER: Final = msgspec.json.Decoder(_Answer)
_ENTRY: Final = msgspec.json.Decoder(dict[str, object])


def _read_entry(entry: msgspec.Raw) -> tuple[_Key, int] | None:
    try:
        fields = _ENTRY.decode(entry)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    kind, text, sender = (fields.get(name) for name in ("type", "identifier", "sender"))
    number = _number_of(fields.get("personId"))
    if number is None or not isinstance(kind, str) or not isinstance(text, str):
        return None
    identifier = Identifier(kind, text, sender if isinstance(sender, str) else None)
    return _key_of(identifier), number


def _number_of(value: object) -> int | None:
    match value:
        case bool():
            return None
        case int() if value >= 0:
            return value
        case str() if value.isascii() and value.isdigit() and len(value) <= 19:
            return int(value)
        case _:
            return None


def _key_of(identifier: Identifier) -> _Key:
    """Return what an entry is recognised by: the service may write a value in its own way."""
    kind = _KINDS.get(identifier.type)
    if kind is not None:
        return identifier.type, canonical_identity(kind, identifier.text), None
    return identifier.type, identifier.text, identifier.sender
