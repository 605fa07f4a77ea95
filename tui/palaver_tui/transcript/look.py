"""How messages are shown: what is known of it before there are any."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo

import msgspec


class Look(msgspec.Struct, frozen=True):
    """How messages are shown, by the user's settings and the terminal's abilities."""

    zone: tzinfo | None = None  # None: the machine's own
    pictures: bool = True  # drawn, not only their captions
    now: Callable[[], datetime] | None = None  # today needs no date above its first message
