"""Parse HOST:PORT, as in `listen` and `--listen`. Pure."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final, NamedTuple

EXAMPLES: Final = "127.0.0.1:7777, [::1]:7777, 0.0.0.0:7777"
_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?\Z")
MOST_PORT: Final = 65_535


class BadListenError(ValueError):
    """The text is no HOST:PORT. The message is a sentence that names what would be right."""


class ListenAddress(NamedTuple):
    """A host (a name or an address, IPv6 without brackets) and a port; 0 is any free one."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only this machine reaches it. False for a name other than localhost."""
        return self.host == "localhost" or is_loopback(self.host)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def is_loopback(address: str) -> bool:
    """Return whether an IP address is a loopback address; False for a name."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def listen_address(text: str) -> ListenAddress:
    """Parse HOST:PORT.

    Raises:
        BadListenError: the text is something else.
    """
    host, colon, port = text.strip().rpartition(":")
    if "://" in text or "/" in text:
        raise BadListenError(f'"{text}" is a URL or a path. Write HOST:PORT, as in {EXAMPLES}.')
    if not colon or not port.isascii() or not port.isdecimal():
        raise BadListenError(f'"{text}" has no port. Write HOST:PORT, as in {EXAMPLES}.')
    if int(port) > MOST_PORT:
        raise BadListenError(f'"{text}": there is no port {port}; the highest is {MOST_PORT}.')
    if host.startswith("[") and host.endswith("]"):
        return ListenAddress(_ipv6(host[1:-1], text), int(port))
    if ":" in host:
        raise BadListenError(f'"{text}": an IPv6 address goes in brackets, as in [::1]:7777.')
    if not host or host == "*":
        raise BadListenError(
            f'"{text}" names no host. Write 0.0.0.0:{port} for every IPv4 address of this machine, '
            f"[::]:{port} for every IPv6 address."
        )
    if not _NAME.match(host):
        raise BadListenError(f'"{text}": "{host}" is no host. Write it as in {EXAMPLES}.')
    return ListenAddress(host, int(port))


def _ipv6(host: str, text: str) -> str:
    try:
        address = ip_address(host)
    except ValueError:
        address = None
    if address is None or address.version != 6:
        raise BadListenError(f'"{text}": "{host}" is no IPv6 address.')
    return host
