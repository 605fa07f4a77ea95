"""Describe connection errors as clauses for the user, with what helps."""

from __future__ import annotations

import socket
import ssl
from typing import Final

import aiohttp

# OpenSSL's codes for rejected certificates (X509_V_ERR_*, x509_vfy.h).
NOT_YET: Final = 9
EXPIRED: Final = 10
UNKNOWN_CA: Final = frozenset({2, 18, 19, 20, 21})
OTHER_NAME: Final = frozenset({62, 63, 64})


def reason(error: BaseException) -> str:
    """Return the clause for a failed connection or request, without a full stop."""
    # aiohttp's connection errors wrap the system's; their own text is for programmers.
    proxied = isinstance(error, aiohttp.ClientProxyConnectionError)
    cause = error if proxied else getattr(error, "os_error", error)
    match cause:
        case ssl.SSLError():
            return _of_tls(cause)
        case aiohttp.ClientHttpProxyError():
            return f"the proxy of HTTPS_PROXY refused it (HTTP status {cause.status})"
        case aiohttp.ClientProxyConnectionError():
            return "the proxy of HTTPS_PROXY does not answer"
        case socket.gaierror():
            return "there is no machine of that name"
        case FileNotFoundError() | ConnectionRefusedError():
            return "no daemon is running there"
        case PermissionError():
            return "this user may not connect to it"
        case aiohttp.ServerDisconnectedError() | ConnectionResetError() | BrokenPipeError():
            return "the connection was closed"
        case TimeoutError():
            return "it did not accept a connection in time"
        case OSError(strerror=str(text)) if text:
            return text[0].lower() + text[1:]
        case _:
            return str(cause) or type(cause).__name__


def _of_tls(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code == EXPIRED:
            return "its certificate has expired"
        if error.verify_code == NOT_YET:
            return "its certificate is not valid yet, by this machine's clock"
        if error.verify_code in OTHER_NAME:
            return "its certificate is for another name than the one in the address"
        if error.verify_code in UNKNOWN_CA:
            return (
                "nobody that this machine trusts vouches for its certificate;"
                " where its CA is a private one, name it with --ca-file FILE"
            )
        return f"its certificate cannot be trusted: {error.verify_message}"
    if error.reason in _NO_TLS:
        return "it answers, but without TLS: its address may be http://, or have another port"
    return f"no TLS connection could be made ({(error.reason or 'unknown').lower()})"


# OpenSSL's reasons for a peer without TLS: of 3.x and of 1.1.
_NO_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"})
