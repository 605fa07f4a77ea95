"""From a server, as a person names it, to the endpoint that a client opens."""

from __future__ import annotations

from typing import assert_never

from palaver.client import Endpoint, PalaverError
from palaver.remote.address import Ssh, Unix, Web
from palaver.remote.servers import Server


async def endpoint_of(server: Server) -> Endpoint:
    """Return where a server answers. Nothing is sent to it yet.

    Raises:
        PalaverError: it cannot be reached in this way.
    """
    match server.place:
        case Unix():
            assert server.socket is not None
            return Endpoint.unix(server.socket)
        case Web() as web:
            return Endpoint(str(web), ca_file=server.ca_file)
        case Ssh() as ssh:
            raise PalaverError(f"{ssh} cannot be reached yet.")
        case other:
            assert_never(other)
