"""Whether a client still takes what is sent to it. Pure."""

from __future__ import annotations

from palaverd.api.limits import HEARTBEAT_S, SEND_STALL_S, SLOWEST


class Attention:
    """Watches one client, as often as `is_over` is called.

    While something is unsent, the client must take `SLOWEST` bytes in each `SEND_STALL_S`: whoever
    takes less falls ever further behind. If nothing is unsent, it is in the kernel or on its way,
    and only a sign of life shows that the client reads: a pong, or anything else that it sends.

    Time in which the daemon itself did nothing does not count, such as while it was suspended: at
    most `HEARTBEAT_S` between two looks.
    """

    def __init__(self, now: float) -> None:
        self._looked = now
        self._taken: int | None = None  # bytes that it had taken, if something was unsent
        self.silent = 0.0  # seconds without a sign that it reads

    def heard(self) -> None:
        """Note that the client has sent something."""
        if self._taken is None:
            self.silent = 0.0

    def is_over(self, sent: int, unsent: int, now: float) -> bool:
        """Return whether it has not read for `SEND_STALL_S`.

        Args:
            sent: bytes that were sent to it altogether.
            unsent: how many of them wait here.
            now: the time, in seconds.
        """
        self.silent += min(now - self._looked, HEARTBEAT_S)
        self._looked = now
        taken = sent - unsent
        if unsent == 0:
            if self._taken is not None:  # it has taken all
                self._taken, self.silent = None, 0.0
        elif self._taken is None or taken - self._taken >= SLOWEST:
            self._taken, self.silent = taken, 0.0
        return self.silent >= SEND_STALL_S
