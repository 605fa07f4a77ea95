"""The HTTP client below the SDKs."""

from __future__ import annotations

import os
from base64 import b64encode
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from palaverd.providers.certificates import believed
from palaverd.providers.limits import CallLimits
from palaverd.providers.proxies import Proxy, ProxyAddressError

if TYPE_CHECKING:
    import ssl

    import httpx2


def http_client(base_url: str, limits: CallLimits, proxy: Proxy | None) -> httpx2.AsyncClient:
    """Make a client with our bounds. Blocks (imports, certificates): call it in a thread.

    It has no read timeout, since the guards measure silence themselves, and follows no redirect:
    a provider that answers elsewhere is configured wrongly, and a key must not travel.

    Raises:
        ProxyAddressError: `proxy` is of a kind that cannot be used.
        CertificatesError: the environment names certificates that are none.
    """
    import httpx2

    encrypted = _encrypted(base_url, proxy)
    context = believed(os.environ) if encrypted else None
    through = None
    if proxy is not None:
        if not proxy.usable:
            raise ProxyAddressError
        try:
            through = httpx2.Proxy(proxy.url, ssl_context=context)
        except (ValueError, httpx2.InvalidURL):
            raise ProxyAddressError from None  # its text has the URL, and a password
    return httpx2.AsyncClient(
        timeout=httpx2.Timeout(None, connect=limits.connect),
        limits=httpx2.Limits(
            max_connections=limits.connections, max_keepalive_connections=limits.keepalive
        ),
        follow_redirects=False,
        # What the environment says is read here, so that it can be told which part of it failed.
        trust_env=False,
        proxy=through,
        verify=context or (True if encrypted else _unneeded()),
    )


@cache
def _unneeded() -> ssl.SSLContext:
    """Return a context for clients that encrypt nothing: they want one, and each takes 20 ms."""
    import httpx2

    return httpx2.create_ssl_context(trust_env=False)


def _encrypted(base_url: str, proxy: Proxy | None) -> bool:
    return any(url.lower().startswith("https:") for url in (base_url, proxy.url if proxy else ""))


def environment_headers(variable: str, omit: Any, api_key: str | None) -> dict[str, Any]:
    """Return headers that take back those which an SDK reads from `variable`.

    They were meant for another program, and could carry another account's credentials. `omit` is
    the SDK's word for a header that is not sent.
    """
    lines = os.environ.get(variable, "").split("\n")
    names = [line.partition(":")[0].strip() for line in lines if ":" in line]
    own = f"Bearer {api_key}"
    return {name: own if name.lower() == "authorization" else omit for name in names}


def secrets_in(url: str) -> tuple[str, ...]:
    """Return what a URL may hold of a secret: its password, the values of its query.

    A password is also named as it is sent, with the user's name (RFC 7617, basic authentication).
    """
    try:
        parts = urlsplit(url)
        found = [value for _, value in parse_qsl(parts.query)]
        password = parts.password
    except ValueError:
        return (url,)
    if password:
        pair = f"{unquote(parts.username or '')}:{unquote(password)}"
        found += [password, unquote(password), b64encode(pair.encode()).decode()]
    return tuple(secret for secret in found if secret)
