"""Parse `public_url`, `allowed_origins` and `trusted_proxies`. Pure."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final, NamedTuple
from urllib.parse import urlsplit

Network = IPv4Network | IPv6Network
_PORTS: Final = {"http": 80, "https": 443}


class BadServerError(ValueError):
    """The value cannot be used. The message is a sentence that names what would be right."""


class Origin(NamedTuple):
    """A scheme, a host in lower case (IPv6 without brackets) and a port: RFC 6454, section 4."""

    scheme: str
    host: str
    port: int


def origin(text: str) -> Origin:
    """Parse `https://host` or `https://host:port`, with nothing behind it.

    Raises:
        BadServerError: the text is something else.
    """
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        raise BadServerError(
            f'"{text}" is no URL. Write https://HOST or https://HOST:PORT.'
        ) from None
    if parts.scheme not in _PORTS or not host or parts.username is not None:
        raise BadServerError(f'"{text}" is to be https://HOST or https://HOST:PORT.')
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise BadServerError(
            f'"{text}" has something behind the host. Palaver answers at the root of a host, so'
            f" write {parts.scheme}://{parts.netloc}."
        )
    return Origin(parts.scheme, plain_host(host), port or _PORTS[parts.scheme])


def network(text: str) -> Network:
    """Parse an IP address (127.0.0.1) or a network (10.0.0.0/8).

    Raises:
        BadServerError: the text is neither.
    """
    try:
        return ip_network(text.strip())
    except ValueError:
        pass
    try:
        wider = ip_network(text.strip(), strict=False)
    except ValueError:
        raise BadServerError(
            f'"{text}" is no address and no network. Write them as 127.0.0.1 or 10.0.0.0/8.'
        ) from None
    raise BadServerError(f'"{text}" has bits of a host in it: the network is {wider}.')


def plain_host(host: str) -> str:
    """Return a name in lower case without a final dot, or an IP address in its canonical form."""
    host = host.removeprefix("[").removesuffix("]")
    try:
        return str(ip_address(host))
    except ValueError:
        return host.lower().removesuffix(".")


def is_address(host: str) -> bool:
    """Return whether a host is an IP address and not a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
