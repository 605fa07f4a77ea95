"""The proxy from the environment, for a daemon with an https URL.

Unencrypted connections use none, since the proxy could read the token; nor do loopback addresses,
Unix sockets and ssh.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from palaver.client.errors import PalaverError

if TYPE_CHECKING:
    from palaver.client.endpoint import Endpoint


@dataclass(frozen=True)
class Proxy:
    """A proxy's URL, without a password, and the credentials for it."""

    url: str
    user: str | None = None
    password: str = field(default="", repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """The header with the credentials."""
        if self.user is None:
            return {}
        login = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return {"Proxy-Authorization": f"Basic {login}"}


def proxy_for(endpoint: Endpoint) -> Proxy | None:
    """Return the proxy of HTTPS_PROXY or ALL_PROXY, None if NO_PROXY or the rules above exclude it.

    Raises:
        PalaverError: it is of an unsupported kind.
    """
    target = urlsplit(endpoint.base)
    host = target.hostname or ""
    if endpoint.socket is not None or endpoint.dial is not None or target.scheme != "https":
        return None
    named = getproxies_environment()
    found = named.get("https") or named.get("all")
    if not found or _is_loopback(host) or proxy_bypass(target.netloc):
        return None
    parts = urlsplit(found if "://" in found else f"http://{found}")
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = ":?"
    place = f"{parts.scheme}://{parts.hostname}{port}"
    if parts.scheme not in ("http", "https") or not parts.hostname or port == ":?":
        raise PalaverError(
            f"The proxy {place} of the environment cannot be used for {endpoint}: HTTPS_PROXY is to"
            f" be http://host:port. Without one:  NO_PROXY={host}"
        )
    user = unquote(parts.username) if parts.username else None
    return Proxy(place, user, unquote(parts.password or ""))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
