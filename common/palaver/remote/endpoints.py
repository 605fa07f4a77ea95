"""Resolve a server to the endpoint that a client connects to."""

from __future__ import annotations

import asyncio
from typing import assert_never

from palaver.client import Endpoint
from palaver.paths import client_config_path
from palaver.remote.address import Ssh, Unix, Web
from palaver.remote.servers import Server
from palaver.remote.token_store import FOLDER, Tokens, token_of


async def endpoint_of(server: Server, *, asks: bool) -> Endpoint:
    """Return the endpoint of a server. For ssh, this opens the connection.

    Args:
        asks: ssh may prompt the user at the terminal.

    Raises:
        PalaverError: the server cannot be reached.
    """
    match server.place:
        case Unix():
            assert server.socket is not None
            return Endpoint.unix(server.socket)
        case Web() as web:
            token = await asyncio.to_thread(token_for, server, web)
            return Endpoint(str(web), ca_file=server.ca_file, token=token)
        case Ssh() as ssh:
            # Imported here: only ssh needs a multiplexer.
            from palaver.remote.ssh import link

            return await link(ssh, server.remote_command).connect(asks=asks)
        case other:
            assert_never(other)


def tokens() -> Tokens:
    """Return this user's stored tokens."""
    return Tokens(client_config_path().parent / FOLDER)


def token_for(server: Server, web: Web) -> str | None:
    """Return the token for a server, None without one. Blocks. Raises `PalaverError`."""
    if server.token_file is not None:
        return token_of(server.token_file)
    return tokens().token(web)
