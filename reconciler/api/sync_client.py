"""One request over HTTP at a time and thread: sent once, answered whole, or said to be unanswered.

For state backends, not for the service: no redirects, no cookies, nothing from the
environment but which certificates to trust. No library's text leaves here, for it may hold a URL.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Final, assert_never

from reconciler import __version__
from reconciler.core.failures import Unanswered
from reconciler.core.secret import Secret

from .body import BadEncoding, Body, BodyTooLarge
from .credentials import (
    BasicCredential,
    UnusableCredential,
    basic_header,
    fits_in_header,
    require_usable,
)

if TYPE_CHECKING:
    import httpx

LARGEST_ANSWER: Final = 256 * 1024 * 1024
# Shorter than servers keep idle connections, so that we do not write into one they just closed.
_IDLE_SECONDS: Final = 4.0
_HIDDEN: Final = b"[hidden]"


@dataclass(frozen=True, slots=True)
class BearerCredential:
    """`Authorization: Bearer <token>`."""

    token: Secret[str]


@dataclass(frozen=True, slots=True)
class Limits:
    """In seconds: to be connected, for the answer to begin, and to come whole; bytes of an answer.

    An answer of which bytes keep coming is given up after both have passed.
    """

    connect: float = 5.0
    answer: float = 20.0
    largest: int = LARGEST_ANSWER


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, whatever its status."""

    status: int
    body: bytes = field(repr=False)


class SyncClient:
    """Carries requests with one credential, or none; threads may share it.

    Raises UnusableCredential, which is a ValueError, for a credential that no header can carry.
    """

    def __init__(
        self,
        credential: BasicCredential | BearerCredential | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._authorization, self._secrets = _prepare_authorization(credential)
        self._limits = limits or Limits()
        self._turn = Lock()
        self._transports: dict[bool, httpx.HTTPTransport] = {}

    def request(
        self, method: str, url: str, *, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        """Send once, follow nothing, return the whole answer.

        In an answer other than a 2xx the credential is blotted out, should the server repeat it.
        Raises Unanswered.
        """
        import httpx

        try:
            status, answered = self._exchange(method, url, body, headers)
        except httpx.ConnectTimeout:
            reason = "connecting took too long"
        except httpx.ConnectError as error:
            reason = _explain_connect_error(error)
        except (httpx.TimeoutException, TimeoutError):
            reason = f"no whole answer within {self._limits.answer:g} s"
        except BodyTooLarge:
            reason = f"the answer is larger than {self._limits.largest} bytes"
        except BadEncoding:
            reason = "the answer is packed in a way that nobody asked for"
        except httpx.RemoteProtocolError:
            reason = "the connection was closed before a whole answer, or it was no HTTP"
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError):
            reason = "the connection was lost"
        else:
            return Answer(status, answered if 200 <= status < 300 else self._redact(answered))
        # Out here, so that no traceback leads to frames with headers in them.
        raise Unanswered(reason)

    def close(self) -> None:
        with self._turn:
            for transport in self._transports.values():
                transport.close()
            self._transports.clear()

    def _exchange(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        import httpx

        ends = time.monotonic() + self._limits.connect + self._limits.answer
        request = httpx.Request(
            method,
            url,
            headers={
                "User-Agent": f"reconciler/{__version__}",
                "Accept": "*/*",
                "Accept-Encoding": "identity",
                **headers,
                **self._authorization.reveal(),
            },
            content=body,
            extensions={
                "timeout": {
                    "connect": self._limits.connect,
                    "pool": self._limits.connect,
                    "read": self._limits.answer,
                    "write": self._limits.answer,
                }
            },
        )
        # Bare, without the client object: that one logs every URL with its query.
        response = self._open_transport(url).handle_request(request)
        try:
            if not isinstance(response.stream, httpx.SyncByteStream):
                raise httpx.StreamError("an answer that cannot be read")
            packed = response.headers.get("content-encoding", "")
            collected = Body(packed, self._limits.largest)
            for chunk in response.stream:
                collected.add(chunk)
                if time.monotonic() > ends:
                    raise TimeoutError
            return response.status_code, collected.whole()
        finally:
            response.close()

    def _open_transport(self, url: str) -> httpx.HTTPTransport:
        import httpx

        plain = url.lower().startswith("http:")
        with self._turn:
            if plain not in self._transports:
                self._transports[plain] = httpx.HTTPTransport(
                    # Reads certifi's list, which costs time that plain http need not spend.
                    verify=False if plain else httpx.create_ssl_context(),
                    trust_env=False,
                    limits=httpx.Limits(keepalive_expiry=_IDLE_SECONDS),
                )
            return self._transports[plain]

    def _redact(self, body: bytes) -> bytes:
        for secret in self._secrets.reveal():
            body = body.replace(secret, _HIDDEN)
        return body


def _prepare_authorization(
    credential: BasicCredential | BearerCredential | None,
) -> tuple[Secret[dict[str, str]], Secret[tuple[bytes, ...]]]:
    """Return the header, and all that must not show in a text of the server."""
    match credential:
        case None:
            return Secret({}), Secret(())
        case BasicCredential(username, password):
            require_usable(credential)
            header, secret = basic_header(username, password).reveal(), password.reveal()
        case BearerCredential(token):
            secret = token.reveal()
            if not fits_in_header(secret):
                raise UnusableCredential("the token is empty, or holds what a header cannot carry")
            header = f"Bearer {secret}"
        case _:
            assert_never(credential)
    shapes = {secret, json.dumps(secret)[1:-1], header.partition(" ")[2]}
    # The longest first: one may be a piece of another.
    hidden = sorted((shape.encode() for shape in shapes), key=len, reverse=True)
    return Secret({"Authorization": header}), Secret(tuple(hidden))


def _explain_connect_error(error: Exception) -> str:
    """Say why there is no connection. Only these are shown: other texts may hold the whole URL."""
    text = str(error)
    for piece, reason in (
        ("CERTIFICATE_VERIFY_FAILED", "the server's certificate is not trusted"),
        ("[SSL", "no secure connection could be agreed"),
        ("Name or service not known", "the server's host name is unknown"),
        ("getaddrinfo", "the server's host name is unknown"),
        ("name resolution", "the server's host name is unknown"),
        ("nodename nor servname", "the server's host name is unknown"),
    ):
        if piece in text:
            return reason
    return "the server cannot be reached"
