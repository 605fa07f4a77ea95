"""Bind the TCP addresses to listen on: first of all, so that a taken port is reported at once."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable
from contextlib import ExitStack

from palaverd.config.addresses import ListenAddress, is_loopback
from palaverd.datadir import StartError

Bound = socket.socket
_WHY = {
    errno.EADDRINUSE: "The port is taken: another program listens there.",
    errno.EADDRNOTAVAIL: "This machine has no such address.",
    errno.EACCES: "This user may not use the port; those below 1024 are root's.",
    errno.EAFNOSUPPORT: "This machine does without that kind of address.",
}


def bind_all(
    addresses: Iterable[ListenAddress], *, encrypted: bool, allow_plaintext: bool
) -> list[socket.socket]:
    """Bind a socket for each address; a name may resolve to several. Blocks during name resolution.

    Args:
        encrypted: the daemon has a TLS certificate.
        allow_plaintext: the operator stated that a proxy terminates TLS before the port.

    Raises:
        StartError: an address cannot be bound, or a non-loopback address would be served
            without TLS.
    """
    with ExitStack() as undo:
        bound = []
        for address in addresses:
            port = address.port
            for family, place in _looked_up(address):
                if not (encrypted or allow_plaintext or is_loopback(place)):
                    raise StartError(refusal(address))
                made = undo.enter_context(_bound(family, place, port, address))
                port = made.getsockname()[1]  # all addresses of a name share the port
                bound.append(made)
        undo.pop_all()
        return bound


def refusal(address: ListenAddress) -> str:
    """Return the error message for a non-loopback address that has no TLS."""
    return (
        f"On {address} others could read along: it is not of this machine alone, and there is no "
        "certificate. Set tls_cert and tls_key under [server]; or, where a proxy ends TLS, say "
        "--allow-plaintext."
    )


def address_of(bound: socket.socket) -> ListenAddress:
    """Return the address that a socket is bound to."""
    host, port = bound.getsockname()[:2]
    return ListenAddress(host, port)


def _looked_up(address: ListenAddress) -> list[tuple[int, str]]:
    try:
        found = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as error:
        raise StartError(
            f"Cannot listen on {address}: {address.host} is not known ({error.strerror})."
        ) from None
    return list(dict.fromkeys((int(family), str(place[0])) for family, _, _, _, place in found))


def _bound(family: int, place: str, port: int, address: ListenAddress) -> socket.socket:
    try:
        made = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise cannot_listen(address, error) from None
    try:
        # Reuse the port of a daemon that just ended while its connections are in TIME_WAIT.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:  # so that 0.0.0.0 and [::] can both be bound
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((place, port))
    except OSError as error:
        made.close()
        raise cannot_listen(address, error) from None
    return made


def cannot_listen(address: ListenAddress, error: OSError) -> StartError:
    """Return a `StartError` that explains why an address cannot be bound."""
    why = _WHY.get(error.errno or 0) or f"{error.strerror or error}."
    return StartError(f"Cannot listen on {address}. {why}")
