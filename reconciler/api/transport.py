"""The network under the client: httpx's transport interface over aiohttp's connections.

httpx's own pool walks all its connections for every request and is slow beyond a few; aiohttp's
is not. Errors are told apart here by whether the request can have reached the service.
"""

from __future__ import annotations

import math
import ssl
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

import aiohttp
import httpx

from .exchange import BEFORE_WRITE, NoConnection

if TYPE_CHECKING:
    from aiohttp.connector import Connection

# Shorter than servers keep idle connections, so that we do not write into one they just closed.
_IDLE_SECONDS: Final = 4.0
# What the request of this task is to call right before it is written: aiohttp hands nothing on.
_before_write: Final[ContextVar[Callable[[], None] | None]] = ContextVar("leaves", default=None)


class AiohttpTransport(httpx.AsyncBaseTransport):
    """Send httpx requests over aiohttp. Keeps no cookies, reads no environment, never redirects.

    `proxy` is the URL of an HTTP proxy to tunnel through. Must be made inside a running loop.
    """

    def __init__(self, *, tls: bool, proxy: str | None = None) -> None:
        # httpx's context trusts certifi's list, or what SSL_CERT_FILE and SSL_CERT_DIR name.
        context: ssl.SSLContext | bool = httpx.create_ssl_context() if tls else True
        self._proxy = proxy
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=context,
                # Calls in flight are bounded by the client, before they are paced.
                limit=0,
                keepalive_timeout=_IDLE_SECONDS,
                ttl_dns_cache=60,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            request_class=_NotifyingRequest,
            response_class=_SentOnceResponse,
            auto_decompress=False,
            trust_env=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        timeout = request.extensions.get("timeout", {})
        _before_write.set(request.extensions.get(BEFORE_WRITE))
        try:
            answer = await self._session.request(
                request.method,
                str(request.url),
                headers=[(name.decode(), value.decode()) for name, value in request.headers.raw],
                data=request.content or None,
                allow_redirects=False,
                proxy=self._proxy,
                timeout=aiohttp.ClientTimeout(
                    # All that comes before the request is sent: name, connection, TLS.
                    connect=timeout.get("connect"),
                    sock_read=timeout.get("read"),
                    ceil_threshold=math.inf,
                ),
            )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _translate_error(error) from None
        return httpx.Response(
            answer.status, headers=answer.raw_headers, stream=_ResponseBody(answer), request=request
        )

    async def aclose(self) -> None:
        await self._session.close()


class _ConnectionLost(aiohttp.ClientError):
    """The connection was lost before an answer began."""


class _NotifyingRequest(aiohttp.ClientRequest):
    """A request that asks, when its connection stands, whether it may still be written."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        # Not for the CONNECT request to a proxy, which is a request of its own.
        if self.method != "CONNECT" and (before_write := _before_write.get()) is not None:
            before_write()
        return await super().send(conn)


class _SentOnceResponse(aiohttp.ClientResponse):
    """An answer whose lost connection is told, and no reason to send the request again.

    aiohttp repeats a GET by itself after a disconnect; such calls would be neither paced nor
    counted, twice the share in the very moment when the service is in trouble.
    """

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        try:
            return await super().start(connection)
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
            raise _ConnectionLost from None


class _ResponseBody(httpx.AsyncByteStream):
    """The body of an answer as it arrives."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while chunk := await self._answer.content.readany():
                yield chunk
        except (aiohttp.ClientError, OSError) as error:
            raise _translate_error(error) from None

    async def aclose(self) -> None:
        # Gives a connection whose answer was read to its end back to the pool, closes any other.
        if self._answer.content.at_eof():
            self._answer.release()
        else:
            self._answer.close()


def _translate_error(error: Exception) -> httpx.HTTPError:
    """Return httpx's error for aiohttp's, without its message: it may hold the URL."""
    match error:
        case aiohttp.ConnectionTimeoutError():
            return httpx.ConnectTimeout(NoConnection.SLOW)
        case aiohttp.ClientProxyConnectionError() | aiohttp.ClientHttpProxyError():
            return httpx.ProxyError(NoConnection.PROXY)
        case aiohttp.ClientConnectorCertificateError():
            return httpx.ConnectError(NoConnection.CERTIFICATE)
        case aiohttp.ClientConnectorSSLError():
            return httpx.ConnectError(NoConnection.TLS)
        case aiohttp.ClientConnectorDNSError():
            return httpx.ConnectError(NoConnection.NAME)
        case aiohttp.ClientConnectorError():
            return httpx.ConnectError(NoConnection.REFUSED)
        case TimeoutError():
            return httpx.ReadTimeout("the answer took too long")
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            return httpx.UnsupportedProtocol("not an HTTP address")
        case aiohttp.ClientPayloadError() | aiohttp.ClientResponseError():
            return httpx.RemoteProtocolError("not whole HTTP")
        case _:
            return httpx.ReadError("the connection was lost")
