"""The states of a chat: a status, a queue, and whether it is archived."""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import NamedTuple


class Status(StrEnum):
    """The statuses, as they are stored."""

    WAITING = "waiting"
    RUNNING = "running"
    INTERRUPTING = "interrupting"
    REQUIRES_ACTION = "requires_action"
    ERROR = "error"


class Queue(StrEnum):
    """The kinds of queue. An empty queue is never held."""

    EMPTY = "empty"
    FREE = "free"
    HELD = "held"


class Shape(NamedTuple):
    """The parts that make up a state."""

    status: Status
    queue: Queue
    archived: bool = False


_W, _R, _I, _A, _E = Status
_0, _1, _h = Queue


class State(Enum):
    """Every valid state. 0: empty queue, 1: free, h: held, X: archived."""

    W = Shape(_W, _0)
    P = Shape(_W, _h)
    R0 = Shape(_R, _0)
    R1 = Shape(_R, _1)
    Rh = Shape(_R, _h)
    I0 = Shape(_I, _0)
    I1 = Shape(_I, _1)
    Ih = Shape(_I, _h)
    A0 = Shape(_A, _0)
    A1 = Shape(_A, _1)
    Ah = Shape(_A, _h)
    E0 = Shape(_E, _0)
    E1 = Shape(_E, _1)
    XW = Shape(_W, _0, archived=True)
    XP = Shape(_W, _h, archived=True)
    XE0 = Shape(_E, _0, archived=True)
    XE1 = Shape(_E, _1, archived=True)
    # Not states of a chat, but rows of the table: before it is created and after it is deleted,
    # and a row that matches no valid state.
    ABSENT = "absent"
    INVALID = "invalid"

    @property
    def shape(self) -> Shape:
        """The status, queue and archiving of a state that a row can have."""
        assert isinstance(self.value, Shape), f"{self.name} has no shape"
        return self.value


STORED: tuple[State, ...] = tuple(s for s in State if isinstance(s.value, Shape))
ARCHIVED = frozenset(s for s in STORED if s.shape.archived)
LIVE = frozenset(STORED) - ARCHIVED
# A chat in one of these needs a worker; acquisition takes it if it has none.
RUNNABLE_STATUSES = frozenset({Status.RUNNING, Status.INTERRUPTING, Status.REQUIRES_ACTION})
RUNNABLE = frozenset(s for s in LIVE if s.shape.status in RUNNABLE_STATUSES)

_BY_SHAPE = {s.shape: s for s in STORED}
_STATUSES = frozenset(s.value for s in Status)


def queue_of(length: int, held: bool) -> Queue:
    """Return the kind of a row's queue; a held empty queue, which is invalid, is HELD."""
    if held:
        return Queue.HELD
    return Queue.FREE if length else Queue.EMPTY


def classify(status: str, queue_length: int, queue_held: bool, archived: bool) -> State:
    """Return the state of a row; `INVALID` for a row that no state describes."""
    if status not in _STATUSES or queue_length < 0 or (queue_held and queue_length == 0):
        return State.INVALID
    shape = Shape(Status(status), queue_of(queue_length, queue_held), archived)
    return _BY_SHAPE.get(shape, State.INVALID)
