"""Who a request is for, and which page it is from: the first look at each.

A browser lets any page send requests to any address. By names that lead here (DNS rebinding) it
even lets the page read the answers; a WebSocket it opens for every page. What gives both away are
the `Host` and the `Origin` header, which a page cannot change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import Final, NamedTuple

from aiohttp import hdrs, web
from multidict import CIMultiDictProxy

from palaverd.api.connections import Connection
from palaverd.api.entrance import Entrance
from palaverd.api.problems import BadRequest, Handler
from palaverd.config.addresses import ListenAddress
from palaverd.config.public import (
    BadServerError,
    Network,
    Origin,
    is_address,
    network,
    origin,
    plain_host,
)
from palaverd.config.types import ServerConfig

Headers = CIMultiDictProxy[str]

FORWARDED_FOR: Final = "X-Forwarded-For"
FORWARDED_HOST: Final = "X-Forwarded-Host"
FORWARDED_PROTO: Final = "X-Forwarded-Proto"
# RFC 9110, section 7.2: a host, and perhaps a port. What names can be is left to the names we know.
_HOST: Final = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:/?#@\[\]\\]+)(:[0-9]{0,5})?")


class Known(NamedTuple):
    """What this daemon is called, which pages may use it, and which proxies are believed.

    An address is always known: no page can make a browser send one that it did not ask for. `users`
    are the ids of those who may come in by the Unix socket.
    """

    names: frozenset[str] = frozenset()
    origins: frozenset[Origin] = frozenset()
    proxies: tuple[Network, ...] = ()
    users: frozenset[int] = frozenset()


class Arrival(NamedTuple):
    """A request as its client sent it, before any trusted proxy: for which host, from which
    address ("" for a Unix socket), and whether it was encrypted on the way.
    """

    host: str
    peer: str
    tls: bool


ARRIVAL: Final = web.RequestKey("arrival", Arrival)
KNOWN: Final[web.AppKey[Callable[[], Known]]] = web.AppKey("known")


def known(
    server: ServerConfig,
    machine: str,
    listen: Iterable[ListenAddress] = (),
    users: Iterable[int] = (),
) -> Known:
    """Return what a configuration says, on a machine with this name that listens there.

    Raises:
        BadServerError: one of its values means nothing.
    """
    machine = plain_host(machine)
    names = {"localhost", machine, machine.partition(".")[0], f"{machine}.local"}
    names |= {plain_host(address.host) for address in listen}
    if server.public_url is not None:
        names.add(origin(server.public_url).host)
    return Known(
        frozenset(name for name in names if name.strip(".") and not is_address(name)),
        frozenset(map(origin, server.allowed_origins)),
        tuple(map(network, server.trusted_proxies)),
        frozenset(users),
    )


def arrive(headers: Headers, entrance: Entrance, known: Known) -> Arrival:
    """Look at what a request says of its host and its page.

    Raises:
        BadRequest: `unknown_host`, `unknown_origin` or `not_your_socket`, with what would be right.
    """
    if entrance.user is not None and entrance.user not in known.users:
        raise BadRequest(
            "This socket is for the user that the daemon runs as. Others come in over TCP, with a"
            " token: see palaverd serve --listen.",
            code="not_your_socket",
            status=403,
        )
    peer, host, tls = entrance.peer, _only(headers, hdrs.HOST), entrance.tls
    if _trusted(peer, known):
        peer = _client(headers, peer, known)
        host = _nearest(headers, FORWARDED_HOST) or host
        tls = (_nearest(headers, FORWARDED_PROTO) or ("https" if tls else "http")) == "https"
    found = _HOST.fullmatch(host or "")
    name = plain_host(found["host"]) if found else ""
    if not (name in known.names or is_address(name)):
        raise BadRequest(_no_such_host(host), code="unknown_host", status=403, field="Host")
    pages = headers.getall(hdrs.ORIGIN, ())
    if pages and not (len(pages) == 1 and _allowed(pages[0], known)):
        raise BadRequest(
            f"Pages of {_shown(', '.join(pages))} may not use this daemon. If this one is yours,"
            " name it in [server] allowed_origins of config.toml.",
            code="unknown_origin",
            status=403,
            field="Origin",
        )
    return Arrival(name, peer, tls)


@web.middleware
async def host_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what is for another host or from a page that is none of ours, unread."""
    connection = request.protocol
    assert isinstance(connection, Connection)
    request[ARRIVAL] = arrive(request.headers, connection.entrance, request.app[KNOWN]())
    return await handler(request)


def _only(headers: Headers, name: str) -> str | None:
    """Return a header that is there once, else None."""
    values = headers.getall(name, ())
    return values[0] if len(values) == 1 else None


def _nearest(headers: Headers, name: str) -> str | None:
    """Return what the nearest proxy said: each adds its own word behind those before it."""
    said = ",".join(headers.getall(name, ())).rpartition(",")[2].strip()
    return said or None


def _trusted(peer: str, known: Known) -> bool:
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return False  # a Unix socket: who has that is its user, and no proxy
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in proxies for proxies in known.proxies)


def _client(headers: Headers, peer: str, known: Known) -> str:
    """Return the address behind all trusted proxies: the last one that is none of them.

    What stands before that was said by the client, and can be anything.
    """
    for said in reversed(",".join(headers.getall(FORWARDED_FOR, ())).split(",")):
        address = plain_host(said.strip())
        if not is_address(address):
            break
        peer = address
        if not _trusted(peer, known):
            break
    return peer


def _allowed(page: str, known: Known) -> bool:
    try:
        return origin(page) in known.origins
    except BadServerError:
        return False  # "null": a page without an origin, such as a file


def _no_such_host(host: str | None) -> str:
    if host is None:
        return "The request does not say once for which host it is (Host header)."
    return (
        f"This daemon is not called {_shown(host)}. If others reach it by this name, set [server]"
        " public_url in config.toml to its address, as in https://HOST:PORT."
    )


def _shown(text: str) -> str:
    """Return what a stranger sent, short and in one line."""
    return ascii(text[:80])
