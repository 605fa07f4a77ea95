"""Check the host and the origin of each request, before anything else.

A browser lets any page send requests to any address. With names that resolve to this machine (DNS
rebinding) the page can even read the responses; a WebSocket it can always open. The `Host` and
`Origin` headers, which a page cannot change, reveal both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import Final, NamedTuple

from aiohttp import hdrs, web
from multidict import CIMultiDictProxy

from palaverd.api.connections import connection_of
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
# RFC 9110, section 7.2: a host, and perhaps a port. The host is compared with the known names.
_HOST: Final = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:/?#@\[\]\\]+)(:[0-9]{0,5})?")


class Known(NamedTuple):
    """The daemon's names, the origins that may use it, and the trusted proxies.

    IP addresses are always accepted: a page cannot make a browser send one that it did not request.
    `users` are the user ids that may use the Unix socket.
    """

    names: frozenset[str] = frozenset()
    origins: frozenset[Origin] = frozenset()
    proxies: tuple[Network, ...] = ()
    users: frozenset[int] = frozenset()


class Arrival(NamedTuple):
    """A request as its client sent it, before any trusted proxy.

    `host` is its host, `peer` the client's address ("" for a Unix socket), `tls` whether it was
    encrypted.
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
    """Return the known names of a configuration, on a machine named `machine`.

    Raises:
        BadServerError: one of its values is invalid.
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
    """Check a request's host and origin.

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
    """Refuse requests for another host or from an unknown origin, without reading them."""
    entrance = connection_of(request).entrance
    request[ARRIVAL] = arrive(request.headers, entrance, request.app[KNOWN]())
    return await handler(request)


def _only(headers: Headers, name: str) -> str | None:
    """Return a header that occurs once, else None."""
    values = headers.getall(name, ())
    return values[0] if len(values) == 1 else None


def _nearest(headers: Headers, name: str) -> str | None:
    """Return the nearest proxy's value: each proxy appends its own."""
    said = ",".join(headers.getall(name, ())).rpartition(",")[2].strip()
    return said or None


def _trusted(peer: str, known: Known) -> bool:
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return False  # a Unix socket, which no proxy uses
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in proxies for proxies in known.proxies)


def _client(headers: Headers, peer: str, known: Known) -> str:
    """Return the address in front of all trusted proxies: the last one that is none of them.

    Earlier addresses were sent by the client, and can be anything.
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
    """Return untrusted text, truncated and on one line."""
    return ascii(text[:80])
