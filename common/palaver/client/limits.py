"""Timeouts and limits of the client, each with its reason. Seconds and bytes."""

from __future__ import annotations

from typing import Final

# A daemon on this machine accepts in microseconds, one across the world in under a second; ten
# seconds allow for a machine that is swapping.
CONNECT_S: Final = 10.0
# Between attempts to connect to a Unix socket whose backlog is full, first and at most. A daemon
# accepts dozens of connections in one turn of its event loop, which takes milliseconds.
CONNECT_FIRST_S: Final = 0.002
CONNECT_MOST_S: Final = 0.05
# The daemon limits its own reads to 5 s; six times as long means that no response will arrive.
REQUEST_S: Final = 30.0
# For each MiB of a long body, in either direction: the least that the daemon waits for.
MIB_S: Final = 60.0
# Detects a dead peer within 22.5 s (a ping, and half as long for its pong), even one too old to
# send heartbeats; the daemon does the same.
PING_S: Final = 15.0
# A daemon sends heartbeats every 5 s: two of them, and two seconds for a slow line.
SILENCE_S: Final = 12.0
# How long a closing WebSocket waits for its peer's close frame. Nothing depends on it.
CLOSE_S: Final = 2.0
# Live output has frames of at most 1 MiB, but a committed message is never split, and an answer may
# have 8 MiB of text, which JSON's escapes can make six times as long.
MAX_FRAME: Final = 64 * 1024 * 1024
# The first delay is too short to notice; with the longest one, a daemon that is back is found
# before the user looks for the reason.
BACKOFF_FIRST_S: Final = 0.5
BACKOFF_MAX_S: Final = 10.0
