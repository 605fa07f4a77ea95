"""aiohttp connectors for endpoints."""

from __future__ import annotations

import socket
import ssl
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
from aiohttp.client_proto import ResponseHandler

from palaver.client.errors import PalaverError
from palaver.client.limits import CONNECT_FIRST_S, CONNECT_MOST_S, CONNECT_S
from palaver.clock import Clock, deadline

if TYPE_CHECKING:
    from aiohttp.client import ClientTimeout
    from aiohttp.client_reqrep import ClientRequest
    from aiohttp.tracing import Trace

    from palaver.client.endpoint import Dial, Endpoint


def connector_of(
    endpoint: Endpoint, trusting: ssl.SSLContext | None, clock: Clock
) -> aiohttp.BaseConnector:
    """Return a connector for an endpoint, without a limit of connections.

    Args:
        trusting: the SSL context from `trusted_by`; None for an address without TLS.
    """
    # limit=0: a client that watches many chats holds one WebSocket for each.
    if endpoint.dial is not None:
        return DialConnector(endpoint.dial)
    if endpoint.socket is not None:
        return DialConnector(partial(connect_unix, str(endpoint.socket), clock))
    return aiohttp.TCPConnector(limit=0, ssl=True if trusting is None else trusting)


async def connect_unix(path: str, clock: Clock) -> socket.socket:
    """Return a socket that is connected to a Unix socket, waiting while its backlog is full.

    asyncio and aiohttp do not wait: Linux refuses to connect with EAGAIN then, which they take for
    a connection in progress, and so for a connected one.

    Raises:
        OSError: nobody listens there; a `TimeoutError` if the backlog stays full.
    """
    connecting = socket.socket(socket.AF_UNIX)
    try:
        connecting.setblocking(False)
        async with deadline(clock, CONNECT_S):
            pause = CONNECT_FIRST_S
            while True:
                try:
                    connecting.connect(path)
                except BlockingIOError:
                    await clock.sleep(pause)
                    pause = min(2 * pause, CONNECT_MOST_S)
                else:
                    return connecting
    except BaseException:
        connecting.close()
        raise


def trusted_by(ca_file: Path | None) -> ssl.SSLContext:
    """Return an SSL context that trusts only the CAs of a PEM file; None: the system's. Blocks.

    Raises:
        PalaverError: the file cannot be used.
    """
    if ca_file is None:
        context = ssl.create_default_context()
        context.set_alpn_protocols(("http/1.1",))  # as aiohttp's own
        return context
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except ssl.SSLError as error:
        raise PalaverError(
            f"The CA file {ca_file} has no certificate in it that can be read: it is to be PEM"
            " (-----BEGIN CERTIFICATE-----)."
        ) from error
    except OSError as error:
        raise PalaverError(f"The CA file {ca_file} cannot be read: {error.strerror}.") from error


class DialConnector(aiohttp.BaseConnector):
    """A connector that calls an endpoint's `dial`."""

    def __init__(self, dial: Dial) -> None:
        super().__init__(limit=0)
        self._dial = dial

    async def _create_connection(
        self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout
    ) -> ResponseHandler:
        try:
            sock = await self._dial()
            _, protocol = await self._loop.create_connection(self._factory, sock=sock)
        except OSError as error:
            raise aiohttp.ClientConnectorError(req.connection_key, error) from error
        assert isinstance(protocol, ResponseHandler)
        return protocol
