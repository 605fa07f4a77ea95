"""Proxies of the environment: which proxy a URL uses, and which variable names it."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Mapping
from urllib.parse import urlsplit
from urllib.request import getproxies

import msgspec

SCHEMES = frozenset({"http", "https", "socks5", "socks5h"})
# The scheme that desktops write for a SOCKS proxy of any version; most are version 5.
_ALIASES = {"socks": "socks5"}
_KINDS = ("https", "http", "all")


class ProxyAddressError(Exception):
    """A variable names a proxy of an unsupported kind."""


class Proxy(msgspec.Struct, frozen=True):
    """A proxy: `url`, perhaps with a password, and the variable that names it, as `https_proxy`."""

    url: str
    variable: str

    @property
    def shown(self) -> str:
        """The URL without user and password."""
        try:
            parts = urlsplit(self.url)
            port = f":{parts.port}" if parts.port else ""
            host = parts.hostname or ""
        except ValueError:
            return "of no address"
        return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"

    @property
    def usable(self) -> bool:
        """Whether its scheme is supported and its address valid."""
        try:
            parts = urlsplit(self.url)
            return parts.scheme in SCHEMES and bool(parts.hostname) and parts.port != 0
        except ValueError:
            return False


def proxies_in(environment: Mapping[str, str]) -> dict[str, Proxy]:
    """Return the proxies of the environment, by kind: `https`, `http`, `all`.

    Lower-case variables take precedence, as in other programs. On macOS and Windows the system's
    settings apply if the environment names none.
    """
    found = {}
    for kind in _KINDS:
        for name in (f"{kind}_proxy", f"{kind}_proxy".upper()):
            if environment.get(name, "").strip():
                found[kind] = _proxy(environment[name].strip(), name)
                break
    if not found and sys.platform in ("darwin", "win32"):
        system = getproxies()
        found = {k: _proxy(system[k], "the system's proxy") for k in _KINDS if system.get(k)}
    return found


def proxy_for(url: str, environment: Mapping[str, str]) -> Proxy | None:
    """Return the proxy for a request to `url`; None for none, and always for this machine."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    if not host or is_loopback(url) or _excepted(host, port, environment):
        return None
    found = proxies_in(environment)
    return found.get(parts.scheme) or found.get("all")


def is_loopback(url: str) -> bool:
    """Return whether a URL's host is this machine."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _excepted(host: str, port: int | None, environment: Mapping[str, str]) -> bool:
    """Return whether `no_proxy` names a host, by name, domain, address or network, or `*`."""
    said = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    return any(_names(entry.strip().lower(), host, port) for entry in said.split(","))


def _names(entry: str, host: str, port: int | None) -> bool:
    if not entry or entry == "*":
        return bool(entry)
    if port is not None:
        entry = entry.removesuffix(f":{port}")
    domain = entry.removeprefix("*").lstrip(".")
    if host == domain or host.endswith(f".{domain}"):
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        return False


def _proxy(url: str, variable: str) -> Proxy:
    url = url if "://" in url else f"http://{url}"
    scheme, _, rest = url.partition("://")
    scheme = scheme.lower()
    return Proxy(f"{_ALIASES.get(scheme, scheme)}://{rest}", variable)
