"""The HTTP client of the SDKs."""

from __future__ import annotations

import os
from base64 import b64encode
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from palaverd.lean_libraries import import_client
from palaverd.providers.certificates import trusted_context
from palaverd.providers.limits import CallLimits
from palaverd.providers.proxies import Proxy, ProxyAddressError

if TYPE_CHECKING:
    import ssl

    import httpx2


def http_client(base_url: str, limits: CallLimits, proxy: Proxy | None) -> httpx2.AsyncClient:
    """Create a client with our limits. Blocks (imports, certificates): call it in a thread.

    It has no read timeout, since the guards measure silence, and follows no redirects: a provider
    that redirects is misconfigured, and the key must not be sent elsewhere.

    Raises:
        ProxyAddressError: `proxy` is of an unsupported kind.
        CertificatesError: the environment's certificates cannot be used.
    """
    import httpx2

    import_client()
    from palaverd.providers.direct_transport import DirectTransport

    encrypted = _encrypted(base_url, proxy)
    named = trusted_context(os.environ) if encrypted else None
    context = named or (httpx2.create_ssl_context(trust_env=False) if encrypted else _unneeded())
    through = transport = None
    if proxy is None:
        transport = DirectTransport(context, limits)
    elif not proxy.usable:
        raise ProxyAddressError
    else:
        try:
            through = httpx2.Proxy(proxy.url, ssl_context=named)
        except (ValueError, httpx2.InvalidURL):
            raise ProxyAddressError from None  # its message has the URL with a password
    return httpx2.AsyncClient(
        timeout=httpx2.Timeout(None, connect=limits.connect),
        limits=httpx2.Limits(
            max_connections=limits.connections, max_keepalive_connections=limits.keepalive
        ),
        follow_redirects=False,
        # The environment is read here, so that an error can name the variable.
        trust_env=False,
        proxy=through,
        transport=transport,
        verify=context,
    )


@cache
def _unneeded() -> ssl.SSLContext:
    """Return a shared context for clients without TLS, which need one: it trusts nobody."""
    import ssl

    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _encrypted(base_url: str, proxy: Proxy | None) -> bool:
    return any(url.lower().startswith("https:") for url in (base_url, proxy.url if proxy else ""))


def environment_headers(variable: str, omit: Any, api_key: str | None) -> dict[str, Any]:
    """Return headers that undo those which an SDK reads from `variable`.

    They were meant for another program, and could have another account's credentials. `omit` is the
    SDK's value for a header that is not sent.
    """
    lines = os.environ.get(variable, "").split("\n")
    names = [line.partition(":")[0].strip() for line in lines if ":" in line]
    own = f"Bearer {api_key}"
    return {name: own if name.lower() == "authorization" else omit for name in names}


def secrets_in(url: str) -> tuple[str, ...]:
    """Return the possible secrets of a URL: its password and the values of its query.

    A password is also returned as sent in basic authentication, with the user's name (RFC 7617).
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
