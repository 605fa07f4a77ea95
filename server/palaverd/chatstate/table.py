"""The table of transitions: from (transition, state) to the states it may end in.

A transition without an entry is refused. The door's checks, the tests that explore the table, and
the diagram in ARCHITECTURE.md are derived from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from palaverd.chatstate.states import LIVE, STORED, State

W, P = State.W, State.P
R0, R1, Rh = State.R0, State.R1, State.Rh
I0, I1, Ih = State.I0, State.I1, State.Ih
A0, A1, Ah = State.A0, State.A1, State.Ah
E0, E1 = State.E0, State.E1
XW, XP, XE0, XE1 = State.XW, State.XP, State.XE0, State.XE1
ABSENT, INVALID = State.ABSENT, State.INVALID


class Transition(StrEnum):
    """Everything that can happen to a chat. Clients request the first group."""

    CREATE = "create"
    FORK = "fork"
    IMPORT = "import"
    SEND = "send"
    SEND_INTERRUPT = "send_interrupt"
    SEND_STEER = "send_steer"
    EDIT = "edit"
    EDIT_QUEUED = "edit_queued"
    REORDER_QUEUED = "reorder_queued"
    DELETE_QUEUED = "delete_queued"
    PROMOTE_QUEUED = "promote_queued"
    HOLD_QUEUE = "hold_queue"
    RELEASE_QUEUE = "release_queue"
    INTERRUPT = "interrupt"
    COMPLETE_ACTION = "complete_action"
    RESUME = "resume"
    SKIP_BACKOFF = "skip_backoff"
    REQUEST_COMPACTION = "request_compaction"
    CLEAR_CONTEXT = "clear_context"
    ARCHIVE = "archive"
    UNARCHIVE = "unarchive"
    DELETE = "delete"

    ACQUIRE = "acquire"
    RELEASE = "release"
    RECORD_ATTEMPT = "record_attempt"
    RECORD_RETRY = "record_retry"
    COMMIT_RESPONSE = "commit_response"
    COMMIT_RESULTS = "commit_results"
    REQUIRE_ACTION = "require_action"
    CANCEL_ACTION = "cancel_action"
    ABANDON_COMPACTION = "abandon_compaction"
    SET_WAITING_FOR_CHILDREN = "set_waiting_for_children"
    FINISH_INTERRUPTION = "finish_interruption"
    FINISH_TURN = "finish_turn"
    FINISH_ERROR = "finish_error"
    RECONCILE = "reconcile"


Cells = Mapping[State, set[State]]

_RUNNING_STAYS: Cells = {R0: {R0}, R1: {R1}, Rh: {Rh}}
_STAYS: Cells = {state: {state} for state in STORED}

# fmt: off
# A message that steers differs by its place in the queue and its mark.
_INTO_QUEUE: Cells = {
    W: {R0}, P: {Rh}, E0: {R0}, E1: {R1},
    R0: {R1}, R1: {R1}, Rh: {Rh},
    I0: {I1}, I1: {I1}, Ih: {Ih},
    A0: {A1}, A1: {A1}, Ah: {Ah},
}
# After the last result of a step, what steers leaves the queue, also a held one.
_ANSWERED: Cells = {A0: {A0, R0}, A1: {A1, R0, R1}, Ah: {Ah, R0, Rh}}
TABLE: Mapping[Transition, Cells] = {
    # --- requested by clients
    Transition.CREATE: {ABSENT: {R0}},
    Transition.FORK: {ABSENT: {W}},
    Transition.IMPORT: {ABSENT: {W}},
    Transition.SEND: _INTO_QUEUE,
    Transition.SEND_INTERRUPT: {
        W: {R0}, P: {Rh}, E0: {R0}, E1: {R1},
        R0: {I1}, R1: {I1}, Rh: {I1},
        I0: {I1}, I1: {I1}, Ih: {I1},
        A0: {R0}, A1: {R1}, Ah: {R1},
    },
    Transition.SEND_STEER: _INTO_QUEUE,
    Transition.EDIT: {state: {R0} for state in LIVE},
    Transition.EDIT_QUEUED: {
        E1: {E1}, P: {P}, R1: {R1}, Rh: {Rh}, I1: {I1}, Ih: {Ih}, A1: {A1}, Ah: {Ah},
    },
    Transition.REORDER_QUEUED: {
        E1: {E1}, P: {P}, R1: {R1}, Rh: {Rh}, I1: {I1}, Ih: {Ih}, A1: {A1}, Ah: {Ah},
    },
    Transition.DELETE_QUEUED: {
        E1: {E0, E1}, P: {W, P},
        R1: {R0, R1}, Rh: {R0, Rh},
        I1: {I0, I1}, Ih: {I0, Ih},
        A1: {A0, A1}, Ah: {A0, Ah},
    },
    Transition.PROMOTE_QUEUED: {
        E1: {R0, R1}, P: {R0, Rh},
        A1: {R0, R1}, Ah: {R0, Rh},
        R1: {I1}, Rh: {I1},
        I1: {I1}, Ih: {I1},
    },
    Transition.HOLD_QUEUE: {R1: {Rh}, I1: {Ih}, A1: {Ah}},
    Transition.RELEASE_QUEUE: {Rh: {R1}, Ih: {I1}, Ah: {A1}, P: {R0, R1}},
    # In error it only cancels `resume_at`. In a state without a cell there is nothing to stop,
    # which the response says; it is no refusal.
    Transition.INTERRUPT: {
        R0: {I0}, R1: {I1, Ih}, Rh: {Ih},
        I0: {I0}, I1: {I1, Ih}, Ih: {Ih},
        A0: {W}, A1: {R0, R1, P}, Ah: {P},
        E0: {E0}, E1: {E1},
    },
    Transition.COMPLETE_ACTION: _ANSWERED,
    Transition.RESUME: {E0: {R0, E0}, E1: {R1, E1}},
    Transition.SKIP_BACKOFF: _RUNNING_STAYS,
    Transition.REQUEST_COMPACTION: {W: {R0}, P: {Rh}, E0: {R0}, E1: {R1}},
    Transition.CLEAR_CONTEXT: {W: {W}, P: {P}, E0: {W}},
    Transition.ARCHIVE: {W: {XW}, P: {XP}, E0: {XE0}, E1: {XE1}},
    Transition.UNARCHIVE: {XW: {W}, XP: {P}, XE0: {E0}, XE1: {E1}},
    Transition.DELETE: {XW: {ABSENT}, XP: {ABSENT}, XE0: {ABSENT}, XE1: {ABSENT}},
    # --- applied by the daemon
    Transition.ACQUIRE: _STAYS,
    Transition.RELEASE: _STAYS,
    Transition.RECORD_ATTEMPT: _RUNNING_STAYS,
    Transition.RECORD_RETRY: _RUNNING_STAYS,
    Transition.COMMIT_RESPONSE: _RUNNING_STAYS,
    Transition.COMMIT_RESULTS: {R0: {R0}, R1: {R0, R1}, Rh: {R0, Rh}},
    Transition.REQUIRE_ACTION: {R0: {A0}, R1: {A1}, Rh: {Ah}},
    Transition.CANCEL_ACTION: _ANSWERED,
    Transition.ABANDON_COMPACTION: _RUNNING_STAYS,
    Transition.SET_WAITING_FOR_CHILDREN: _RUNNING_STAYS,
    Transition.FINISH_INTERRUPTION: {I0: {W}, I1: {R0, R1}, Ih: {P}},
    Transition.FINISH_TURN: {R0: {W}, R1: {R0, R1}, Rh: {P}},
    Transition.FINISH_ERROR: {
        R0: {E0}, I0: {E0}, A0: {E0},
        R1: {E1}, Rh: {E1}, I1: {E1}, Ih: {E1}, A1: {E1}, Ah: {E1},
    },
    Transition.RECONCILE: {INVALID: {E0, E1, XE0, XE1}},
}
# fmt: on

# Transitions that the daemon applies by itself, without a request.
BY_DAEMON = frozenset(
    t for t in Transition if list(Transition).index(t) >= list(Transition).index(Transition.ACQUIRE)
)


def outcomes(transition: Transition, state: State) -> frozenset[State]:
    """Return the states that `transition` may end in from `state`; empty if it is refused."""
    return frozenset(TABLE[transition].get(state, ()))
