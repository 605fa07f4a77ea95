"""Every bound of a model call, each with its reason."""

from __future__ import annotations

import msgspec

from palaverd.config.types import ProviderConfig


class CallLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one model call. Times in seconds, sizes in bytes.

    `startup`: from opening to the first event. `silence`: inside a stream, waiting for bytes.
    `pings`: inside a stream, waiting for anything but pings. All three are design 05's; only
    time spent waiting for the provider counts.
    """

    startup: float = 60.0
    silence: float = 120.0
    pings: float = 600.0
    # A host that does not answer is found out long before the startup guard; a TLS handshake
    # across the world with one lost packet still fits.
    connect: float = 15.0
    # After the terminal event the body's end is usually in the same packet; reading it lets the
    # connection be used again. A server that never ends its body costs only this, and its
    # connection.
    drain: float = 0.1
    # After a finish word: for the counts, and for the end mark. Gateways ask others for counts.
    closing: float = 10.0
    # One event: the final event of a Responses stream repeats the whole answer, and an answer is
    # live up to 8 MiB (design 04).
    event_bytes: int = 16 * 1024 * 1024
    # A whole answer: some hundred times the longest that a model is asked for, with the frames
    # around its words. What is longer is a server that has lost its mind, and would take our
    # memory with it.
    body_bytes: int = 64 * 1024 * 1024
    # Streams at once to one provider; one more waits for a connection, within `startup`.
    connections: int = 1000
    # Kept open between calls.
    keepalive: int = 100


DEFAULT_LIMITS = CallLimits()
# A server that is not the vendor's, whatever it speaks, may be loading a model into memory first,
# and may queue requests without a byte.
OWN_SERVER_LIMITS = CallLimits(startup=600.0)


def limits_of(config: ProviderConfig) -> CallLimits:
    """Return the bounds of calls to a provider as it is configured."""
    usual = DEFAULT_LIMITS if config.base_url is None else OWN_SERVER_LIMITS
    given = {
        "startup": config.startup_seconds,
        "silence": config.silence_seconds,
        "pings": config.pings_seconds,
    }
    patience = {name: seconds for name, seconds in given.items() if seconds is not None}
    return msgspec.structs.replace(usual, **patience)
