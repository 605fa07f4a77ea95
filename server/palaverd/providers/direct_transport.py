"""A transport of httpx2's client over aiohttp, for calls without a proxy.

An SDK builds a request of httpx2 and takes a response of httpx2; what is between the two is a
transport. httpx2's own looks at every connection of its pool for each request, and parses in
Python: with a hundred answers at once that was a fifth of the daemon's CPU time. aiohttp's parser
is in C, and its pool a dictionary.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import httpx2
from aiohttp import hdrs
from yarl import URL

from palaverd.providers.body import PLAIN_BODY
from palaverd.providers.limits import CallLimits

# Bytes of a response's status line, and of one header field: what h11 allows for a whole head.
_LINE = 100 * 1024
# httpx2 has set them, or has decided that they are not sent.
_SET = frozenset({"Accept", "Accept-Encoding", "Content-Type", "User-Agent"})


class DirectTransport(httpx2.AsyncBaseTransport):
    """Sends requests to their hosts directly. `context` is for TLS.

    Its connections belong to the event loop of the first request. A response's body is passed as it
    came: httpx2 decompresses it.
    """

    def __init__(self, context: ssl.SSLContext, limits: CallLimits) -> None:
        context.set_alpn_protocols(["http/1.1"])
        self._context = context
        self._limits = limits
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request with a body in memory, and return the response, its body unread.

        Raises:
            httpx2.TransportError: it could not be sent, or not be answered.
        """
        url = request.url
        if url.scheme not in ("http", "https"):
            raise httpx2.UnsupportedProtocol(
                f"The address must begin with http:// or https://, not {url.scheme!r}."
            )
        if self._session is None:
            self._session = self._open()
        # A server that has closed an idle connection is noticed by the loop's next look at its
        # sockets, which comes before the second turn.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        with _errors_of_httpx2(opening=True):
            response = await self._session.request(
                request.method,
                URL(str(url), encoded=True),
                headers=[(k.decode("ascii"), v.decode("latin-1")) for k, v in request.headers.raw],
                data=await request.aread() or None,
                allow_redirects=False,
                server_hostname=request.extensions.get("sni_hostname"),
            )
        body = _Body(response)
        reason = (response.reason or "").encode("latin-1", "replace")
        extensions: dict[str, Any] = {"reason_phrase": reason}
        if hdrs.CONTENT_ENCODING not in response.headers:
            extensions[PLAIN_BODY] = body
        return httpx2.Response(
            response.status,
            headers=list(response.raw_headers),
            stream=body,
            extensions=extensions,
        )

    async def aclose(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._limits.connections, ssl=self._context),
            # The guards measure silence.
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._limits.connect),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            max_line_size=_LINE,
            max_field_size=_LINE,
            skip_auto_headers=_SET,
        )


class _Body(httpx2.AsyncByteStream):
    """The body of a response. Once it was read to its end, its connection is used again."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        read = self._response.content.readany
        with _errors_of_httpx2(opening=False):
            while chunk := await read():
                yield chunk

    async def aclose(self) -> None:
        self._response.close()


@contextmanager
def _errors_of_httpx2(*, opening: bool) -> Iterator[None]:
    """Raise what httpx2 documents instead of aiohttp's errors, with their words."""
    try:
        yield
    except aiohttp.ClientConnectorError as error:
        raise httpx2.ConnectError(str(error.os_error)) from error
    except aiohttp.ConnectionTimeoutError as error:
        raise httpx2.ConnectTimeout(str(error)) from error
    except (aiohttp.ClientPayloadError, aiohttp.ClientResponseError) as error:
        raise httpx2.RemoteProtocolError(str(error)) from error
    except aiohttp.ServerDisconnectedError as error:
        raise httpx2.RemoteProtocolError("The server closed the connection.") from error
    except (aiohttp.ClientConnectionError, OSError) as error:
        raise (httpx2.ConnectError if opening else httpx2.ReadError)(str(error)) from error
