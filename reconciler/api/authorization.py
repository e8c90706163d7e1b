"""The Authorization header, made at the last moment; OAuth2 tokens fetched and renewed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from reconciler.core.secret import Secret

from .credentials import (
    ApiKeyCredential,
    BasicCredential,
    Credential,
    IbssoCredential,
    OAuth2Credential,
    basic_header,
)

# What holds where the token's answer does not say: short, so that at worst it is fetched too often.
_DEFAULT_SECONDS: Final = 300.0
# A token is renewed so long before its end, or after 80 % of a short life.
_MARGIN: Final = 60.0

# Fetches a token: the token, and the seconds for which it is good if the service says so.
FetchToken = Callable[[OAuth2Credential], Awaitable[tuple[Secret[str], float | None]]]


@dataclass(frozen=True, slots=True)
class _Token:
    text: Secret[str]
    renew_at: float


class Authorization:
    """Gives the header for a credential. One fetch of a token at a time, however many wait."""

    __slots__ = ("_clock", "_credential", "_fetch", "_fetching", "_token")

    def __init__(
        self, credential: Credential, fetch: FetchToken, clock: Callable[[], float]
    ) -> None:
        self._credential = credential
        self._fetch = fetch
        self._clock = clock
        self._fetching = asyncio.Lock()
        self._token: _Token | None = None

    async def header(self) -> Secret[str]:
        """Return the header's value. May fetch a token, and raises what the fetch raises."""
        match self._credential:
            case ApiKeyCredential(key):
                return Secret(f"App {key.reveal()}")
            case IbssoCredential(token):
                return Secret(f"IBSSO {token.reveal()}")
            case BasicCredential(username, password):
                return basic_header(username, password)
            case OAuth2Credential() as credential:
                return Secret(f"Bearer {(await self._fresh_token(credential)).reveal()}")

    def can_renew(self, used: Secret[str]) -> bool:
        """Take note of a 401 to a call with this header; whether another header may do better.

        A token that was replaced meanwhile stays: a hundred 401s of one moment fetch one token.
        """
        if not isinstance(self._credential, OAuth2Credential):
            return False
        if self._token and f"Bearer {self._token.text.reveal()}" == used.reveal():
            self._token = None
        return True

    def secrets(self) -> tuple[str, ...]:
        """Return what must never show in a text, for washing the service's own."""
        match self._credential:
            case ApiKeyCredential(secret) | IbssoCredential(secret):
                return (secret.reveal(),)
            case BasicCredential(_, secret):
                return (secret.reveal(),)
            case OAuth2Credential(_, secret):
                token = () if self._token is None else (self._token.text.reveal(),)
                return (secret.reveal(), *token)

    async def _fresh_token(self, credential: OAuth2Credential) -> Secret[str]:
        async with self._fetching:
            if self._token is None or self._clock() >= self._token.renew_at:
                requested_at = self._clock()
                text, seconds = await self._fetch(credential)
                lifetime = seconds if seconds is not None and seconds > 0 else _DEFAULT_SECONDS
                self._token = _Token(text, requested_at + max(lifetime - _MARGIN, lifetime * 0.8))
            return self._token.text
