"""Multiplex many connections over one pair of pipes: bytes to events and back.

Pure. Each connection is a CONNECT stream of HTTP/2, framed by h2: with a window of its own, so that
a slow reader does not block others, half-closes, resets, and limits. ssh could carry connections
itself; but a server may allow only ten sessions per login (MaxSessions), a session for each
connection would start one Python each, and a forwarded socket would listen on the laptop, needs
the server's permission, and does not pass `sudo` or `docker exec`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote_to_bytes

import h2.connection
from h2.config import H2Configuration
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    RemoteSettingsChanged,
    RequestReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.events import Event as Said
from h2.exceptions import H2Error
from h2.settings import SettingCodes, Settings

# Bytes in flight to a reader that does not read. With a round trip of 200 ms, each connection
# carries 1.3 MB/s, and a thousand blocked ones hold 256 MiB.
WINDOW: Final = 256 * 1024
# As many as a daemon accepts at once (palaverd/api/limits.py).
CONNECTIONS: Final = 1024
# The window of all connections together is unlimited: HTTP/2's largest number.
_ALL: Final = 2**31 - 1
_AT_FIRST: Final = 65_535  # HTTP/2's initial window
_WHY: Final = 1000  # characters of a refusal
_HEADERS: Final = 16 * 1024  # bytes: three for each of those characters, and the other headers

Headers = list[tuple[bytes, bytes]]


class MuxError(Exception):
    """The peer violated the protocol. The message is a clause."""


@dataclass(frozen=True)
class Asked:
    """The peer requests connection `id`. With `start`, start a daemon for it."""

    id: int
    start: bool = False


@dataclass(frozen=True)
class Accepted:
    """The connection was accepted."""

    id: int


@dataclass(frozen=True)
class Declined:
    """The connection was declined; `why` is a clause or a sentence."""

    id: int
    why: str


@dataclass(frozen=True)
class Came:
    """Data arrived. Call `Mux.took` once it is consumed."""

    id: int
    data: bytes


@dataclass(frozen=True)
class Ended:
    """The peer sends no more, but still receives."""

    id: int


@dataclass(frozen=True)
class Cut:
    """The connection was reset."""

    id: int


@dataclass(frozen=True)
class Room:
    """The window grew: of connection `id`, or of all."""

    id: int | None = None


Event = Asked | Accepted | Declined | Came | Ended | Cut | Room


@dataclass
class _Sides:
    """The state of a connection: which sides have ended, and whether it was accepted."""

    ours: bool = False
    theirs: bool = False
    accepted: bool = False


class Mux:
    """One end. The side with `opens` requests connections, the other one accepts or declines them.

    Calls with the id of a closed connection do nothing, since a reset can cross other events.
    """

    def __init__(self, *, opens: bool) -> None:
        self._h2 = h2.connection.H2Connection(
            H2Configuration(client_side=opens, header_encoding=None)
        )
        self._h2.local_settings = Settings(
            client=opens,
            initial_values={
                SettingCodes.INITIAL_WINDOW_SIZE: WINDOW,
                SettingCodes.MAX_CONCURRENT_STREAMS: CONNECTIONS,
                SettingCodes.MAX_HEADER_LIST_SIZE: _HEADERS,
            },
        )
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(_ALL - _AT_FIRST)
        self._there: dict[int, _Sides] = {}

    def __len__(self) -> int:
        return len(self._there)

    def to_send(self) -> bytes:
        """Return the pending output, and clear it."""
        return self._h2.data_to_send()

    def receive(self, data: bytes) -> list[Event]:
        """Return the events of received bytes, however they were split.

        Raises:
            MuxError: the peer violated the protocol, or reports that we did. The mux is
                unusable then.
        """
        try:
            said = self._h2.receive_data(data)
        except (H2Error, ValueError) as error:
            raise MuxError(
                f"what came is not what was agreed on ({type(error).__name__})"
            ) from error
        return [event for one in said for event in self._meant(one)]

    def open(self, *, start: bool = False) -> int:
        """Request a connection; return its id. `start`: a daemon may be started for it.

        Raises:
            MuxError: there are too many connections, or no more ids.
        """
        headers: Headers = [(b":method", b"CONNECT"), (b":authority", b"palaverd")]
        if start:
            headers.append((b"start", b"yes"))
        try:
            id = self._h2.get_next_available_stream_id()  # noqa: A001
            self._h2.send_headers(id, headers)
        except H2Error as error:
            raise MuxError("no more connections can be opened") from error
        self._there[id] = _Sides()
        return id

    def accept(self, id: int) -> bool:  # noqa: A002
        """Accept a connection; return False if the peer no longer wants it."""
        if id not in self._there:
            return False
        self._there[id].accepted = True
        self._h2.send_headers(id, [(b":status", b"200")])
        return True

    def decline(self, id: int, why: str) -> None:  # noqa: A002
        """Decline a connection, with the reason."""
        if self._there.pop(id, None) is not None:
            reason = quote(why[:_WHY]).encode()
            self._h2.send_headers(id, [(b":status", b"503"), (b"why", reason)], end_stream=True)

    def room(self, id: int) -> int:  # noqa: A002
        """Return how many bytes may be sent now."""
        sides = self._there.get(id)
        if sides is None or sides.ours or not sides.accepted:
            return 0
        return max(0, self._h2.local_flow_control_window(id))

    def send(self, id: int, data: bytes) -> None:  # noqa: A002
        """Send at most `room` bytes."""
        if self.room(id) == 0:
            return
        most = self._h2.max_outbound_frame_size
        for begin in range(0, len(data), most):
            self._h2.send_data(id, data[begin : begin + most])

    def took(self, id: int, count: int) -> None:  # noqa: A002
        """Acknowledge `count` consumed bytes, so that the peer may send as many."""
        self._h2.acknowledge_received_data(count, id)

    def end(self, id: int) -> None:  # noqa: A002
        """Half-close: send no more, but still receive."""
        sides = self._there.get(id)
        if sides is not None and not sides.ours:
            sides.ours = True
            self._h2.end_stream(id)
            self._forget(id, sides)

    def cut(self, id: int) -> None:  # noqa: A002
        """Reset a connection."""
        if self._there.pop(id, None) is not None:
            self._h2.reset_stream(id, ErrorCodes.CANCEL)

    def _forget(self, id: int, sides: _Sides) -> None:  # noqa: A002
        if sides.ours and sides.theirs:
            del self._there[id]

    def _meant(self, said: Said) -> Iterator[Event]:
        match said:
            case RequestReceived(stream_id=int(id), headers=headers):
                self._there[id] = _Sides()
                yield Asked(id, (b"start", b"yes") in (headers or ()))
            case ResponseReceived(stream_id=int(id), headers=headers) if id in self._there:
                answer = dict(headers or ())
                if answer.get(b":status") == b"200":
                    self._there[id].accepted = True
                    yield Accepted(id)
                else:
                    del self._there[id]
                    self._h2.reset_stream(id, ErrorCodes.CANCEL)
                    why = unquote_to_bytes(answer.get(b"why", b""))
                    yield Declined(id, why.decode(errors="replace"))
            case DataReceived(stream_id=int(id), data=data, flow_controlled_length=int(length)):
                # Acknowledge padding, and data of a connection that we reset.
                wanted = id in self._there and data
                if (left := length - (len(data or b"") if wanted else 0)) > 0:
                    self._h2.acknowledge_received_data(left, id)
                if wanted:
                    yield Came(id, bytes(data or b""))
            case StreamEnded(stream_id=int(id)) if id in self._there:
                sides = self._there[id]
                sides.theirs = True
                self._forget(id, sides)
                yield Ended(id)
            case StreamReset(stream_id=int(id)) if id in self._there:
                del self._there[id]
                yield Cut(id)
            case WindowUpdated(stream_id=id):
                yield Room(id or None)
            case RemoteSettingsChanged():
                yield Room()
            case ConnectionTerminated():
                raise MuxError("the other side gave up")
            case _:
                pass
