"""The limits of a model call, each with its reason."""

from __future__ import annotations

import msgspec

from palaverd.config.types import ProviderConfig


class CallLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of one model call. Times in seconds, sizes in bytes.

    `startup`: from opening to the first event. `silence`: inside a stream, waiting for bytes.
    `pings`: inside a stream, waiting for anything but pings. All three are configurable; only time
    spent waiting for the provider counts.
    """

    startup: float = 60.0
    silence: float = 120.0
    pings: float = 600.0
    # A host that does not respond fails long before `startup`; a TLS handshake across the world
    # with one lost packet still fits.
    connect: float = 15.0
    # The end of the body is usually in the packet of the terminal event; reading it lets the
    # connection be reused. A server that never ends its body costs this time and the connection.
    drain: float = 0.1
    # After a finish word: for the usage and the end marker. Gateways request usage elsewhere.
    closing: float = 10.0
    # One event: the final event of a Responses stream repeats the whole answer, and an answer is
    # live up to 8 MiB (stream/episode.py).
    event_bytes: int = 16 * 1024 * 1024
    # One answer: some hundred times the longest that is requested, with its framing. A longer one
    # comes from a broken server and would exhaust our memory.
    body_bytes: int = 64 * 1024 * 1024
    # Concurrent streams to one provider; one more waits for a connection, within `startup`.
    connections: int = 1000
    # Idle connections kept open.
    keepalive: int = 100


DEFAULT_LIMITS = CallLimits()
# A server other than the vendor's may load a model into memory first, and may queue requests
# without sending a byte.
OWN_SERVER_LIMITS = CallLimits(startup=600.0)


def limits_of(config: ProviderConfig) -> CallLimits:
    """Return the limits of calls to a configured provider."""
    usual = DEFAULT_LIMITS if config.base_url is None else OWN_SERVER_LIMITS
    given = {
        "startup": config.startup_seconds,
        "silence": config.silence_seconds,
        "pings": config.pings_seconds,
    }
    patience = {name: seconds for name, seconds in given.items() if seconds is not None}
    return msgspec.structs.replace(usual, **patience)
