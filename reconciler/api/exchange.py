"""One exchange over HTTP: a request goes out once, and an outcome comes back as a value.

Nothing is raised here for what the network does, so that no traceback leads to a frame that holds
a header or a query. Redirects are not followed, cookies not kept, netrc not read: the transport
is used bare, without the client object that would do such things (and log every URL).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from json import dumps
from typing import Final
from urllib.parse import quote, urlencode

import httpx
import msgspec

from reconciler.core.opaque import Opaque
from reconciler.core.secret import Secret

from .body import BadEncoding, Body, BodyTooLarge

# Far above a page of 1,000 people (540 KB); a server that sends more is not the service.
LARGEST_ANSWER: Final = 32 * 1024 * 1024
# The name under which a request carries what is to be called right before it is written.
BEFORE_WRITE: Final = "reconciler.leaves"
_CONNECT_SECONDS: Final = 10.0
_CONNECT_SHARE: Final = 0.8


class NoConnection(StrEnum):
    """Why there was no connection. Only these are shown: other texts may hold the whole URL."""

    REFUSED = "the service cannot be reached"
    NAME = "the service's host name is unknown"
    SLOW = "connecting took too long"
    CERTIFICATE = "the service's certificate is not trusted"
    TLS = "no secure connection could be agreed"
    PROXY = "the proxy refused"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, whatever its status. `retry_after` and `date` are headers as they came."""

    status: int
    body: bytes = field(repr=False)
    retry_after: str | None = None
    date: str | None = None


@dataclass(frozen=True, slots=True)
class NoResponse:
    """No answer. `sent` is False only when the request surely did not reach the service."""

    reason: str
    sent: bool


@dataclass(frozen=True, slots=True)
class InvalidResponse:
    """An answer that is no HTTP, too large, or ends before its end; the last may pass by itself."""

    reason: str
    status: int | None


Outcome = Answer | NoResponse | InvalidResponse


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: `json` or `form` or no body. Hidden as a whole: query and body name people."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: object = None
    form: Mapping[str, str] | None = None


def encode_json(value: object) -> bytes:
    """Encode a body. A live value that is carried goes out as it came, byte by byte."""
    try:
        return msgspec.json.encode(value, enc_hook=_carried)
    except UnicodeEncodeError:
        # A key with half of a character, which only an escape can write.
        return _encode_escaped(value).encode()


def _carried(value: object) -> msgspec.Raw:
    if isinstance(value, Opaque):
        return msgspec.Raw(value.json.encode())
    raise TypeError(f"{type(value).__name__} is no JSON value")


def _encode_escaped(value: object) -> str:
    match value:
        case Opaque():
            return value.json
        case dict():
            members = (f"{dumps(str(key))}:{_encode_escaped(item)}" for key, item in value.items())
            return f"{{{','.join(members)}}}"
        case list() | tuple():
            return f"[{','.join(map(_encode_escaped, value))}]"
        case _:
            return dumps(value)


def do_nothing() -> None:
    return None


async def exchange(
    transport: httpx.AsyncBaseTransport,
    base_url: str,
    message: Secret[Message],
    limit: float,
    before_write: Callable[[], None] = do_nothing,
) -> Outcome:
    """Send a message once and read the whole answer, within `limit` seconds all in all.

    `before_write` is called when its connection stands and it is about to be written; what it
    raises is raised here, and then nothing was written.
    """
    try:
        async with asyncio.timeout(limit):
            request = _build_request(base_url, message.reveal(), limit)
            request.extensions[BEFORE_WRITE] = before_write
            return await _send_request(transport, request)
    except (
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.UnsupportedProtocol,
        httpx.ProxyError,
    ) as error:
        known = str(error) in set(NoConnection)
        return NoResponse(str(error) if known else NoConnection.REFUSED, sent=False)
    except (TimeoutError, httpx.TimeoutException):
        return NoResponse(f"no whole answer within {limit:g} s", sent=True)
    except (httpx.RemoteProtocolError, BadEncoding):
        return InvalidResponse("the answer is not whole HTTP", None)
    except (httpx.HTTPError, httpx.StreamError, OSError):
        return NoResponse("the connection was lost", sent=True)


def _build_request(base_url: str, message: Message, timeout: float) -> httpx.Request:
    query = f"?{urlencode(message.query, quote_via=quote)}" if message.query else ""
    headers = dict(message.headers)
    content: bytes | None = None
    if message.form is not None:
        content = urlencode(message.form).encode()
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    elif message.json is not None:
        content = encode_json(message.json)
        headers["Content-Type"] = "application/json"
    # Ends before the whole does: then it is known that nothing was sent.
    connect = min(timeout * _CONNECT_SHARE, _CONNECT_SECONDS)
    return httpx.Request(
        message.method,
        base_url.rstrip("/") + message.path + query,
        headers=headers,
        content=content,
        extensions={"timeout": {"connect": connect, "read": timeout}},
    )


async def _send_request(transport: httpx.AsyncBaseTransport, request: httpx.Request) -> Outcome:
    response = await transport.handle_async_request(request)
    headers, status = response.headers, response.status_code
    try:
        if not isinstance(response.stream, httpx.AsyncByteStream):
            raise TypeError("a transport whose answers cannot be awaited")
        # As it came over the wire: the response itself would unpack it without any bound.
        body = Body(headers.get("content-encoding", ""), LARGEST_ANSWER)
        async for chunk in response.stream:
            body.add(chunk)
        whole = body.whole()
    except BodyTooLarge:
        return InvalidResponse("the answer is larger than any of the contract", status)
    finally:
        await response.aclose()
    return Answer(status, whole, headers.get("retry-after"), headers.get("date"))
