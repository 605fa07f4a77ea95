"""Every timeout and cap of the client, each with its reason. Seconds and bytes."""

from __future__ import annotations

from typing import Final

# A daemon on this machine accepts in microseconds, one across the world in under a second; ten
# allow for a machine that is swapping.
CONNECT_S: Final = 10.0
# The daemon bounds its own reads at 5 s; an answer that takes six times as long is not coming.
REQUEST_S: Final = 30.0
# Finds a dead peer within 22.5 s (a ping, and half as long for its pong), also one that is too old
# to send heartbeats; the daemon does the same.
PING_S: Final = 15.0
# A daemon that sends heartbeats does so every 5 s: two of them, and two seconds for a slow line.
SILENCE_S: Final = 12.0
# How long a closing WebSocket waits for its peer's goodbye. Nothing depends on it.
CLOSE_S: Final = 2.0
# Live output comes in frames of at most 1 MiB, but a committed message is never split, and an
# answer may have 8 MiB of text, which JSON's escapes can make six times as long.
MAX_FRAME: Final = 64 * 1024 * 1024
# The first wait is shorter than a person notices, the longest one short enough that a daemon that
# is back is found before somebody looks for the reason.
BACKOFF_FIRST_S: Final = 0.5
BACKOFF_MAX_S: Final = 10.0
