"""aiohttp connectors for endpoints."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
from aiohttp.client_proto import ResponseHandler

from palaver.client.errors import PalaverError

if TYPE_CHECKING:
    from aiohttp.client import ClientTimeout
    from aiohttp.client_reqrep import ClientRequest
    from aiohttp.tracing import Trace

    from palaver.client.endpoint import Dial, Endpoint


def connector_of(endpoint: Endpoint, trusting: ssl.SSLContext | None) -> aiohttp.BaseConnector:
    """Return a connector for an endpoint, without a limit of connections.

    Args:
        trusting: the SSL context of its CA file, from `trusted_by`.
    """
    # limit=0: a client that watches many chats holds one WebSocket for each.
    if endpoint.dial is not None:
        return DialConnector(endpoint.dial)
    if endpoint.socket is not None:
        return aiohttp.UnixConnector(path=str(endpoint.socket), limit=0)
    return aiohttp.TCPConnector(limit=0, ssl=True if trusting is None else trusting)


def trusted_by(ca_file: Path) -> ssl.SSLContext:
    """Return an SSL context that trusts only the CAs of a PEM file. Blocks.

    Raises:
        PalaverError: the file cannot be used.
    """
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
