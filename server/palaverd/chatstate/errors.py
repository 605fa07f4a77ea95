"""Why a transition did not happen, each as a type with fields. The door raises them."""

from __future__ import annotations

from palaverd.chatstate.states import State
from palaverd.chatstate.table import Transition


class TransitionError(Exception):
    """A transition that changed nothing. `code` is the word for programs."""

    code = "conflict"

    def __init__(self, transition: Transition, state: State, cause: str) -> None:
        super().__init__(f"{transition.value} in {state.name}: {cause}")
        self.transition = transition
        self.state = state
        self.cause = cause


class Refused(TransitionError):
    """The table has no such move from this state."""

    code = "refused"


class QueueFull(TransitionError):
    """The queue holds as many messages as it may."""

    code = "queue_full"


class StaleVersion(TransitionError):
    """The request named a version that is over."""

    code = "stale_version"


class NotInQueue(TransitionError):
    """The queued message is not there any more; it was promoted or removed."""

    code = "not_in_queue"


class UnknownCall(TransitionError):
    """The chat never asked for this call."""

    code = "unknown_call"


class NotAUserMessage(TransitionError):
    """There is no such message, or it is not one that can be meant."""

    code = "no_such_message"


class OrderConflict(TransitionError):
    """A new order of the queue that is not a permutation of the queue as it is."""

    code = "order_conflict"


class KeyReused(TransitionError):
    """The idempotency key was used for another operation or other content."""

    code = "idempotency_key_reused"


class ChatNotFound(Exception):
    """No such chat, or not this owner's."""

    def __init__(self, chat_id: str) -> None:
        super().__init__(f"There is no chat {chat_id}.")
        self.chat_id = chat_id


class FenceLost(Exception):
    """The row is no longer what the worker's task was started for; nothing was changed."""

    def __init__(self, chat_id: str, expected: str, found: str) -> None:
        super().__init__(f"chat {chat_id}: started for {expected}, the row says {found}")
        self.chat_id = chat_id


class BrokenInvariant(AssertionError):
    """A transaction that would have left the chat in a shape that may not exist."""

    def __init__(self, chat_id: str, violations: list[str]) -> None:
        super().__init__(f"chat {chat_id}: " + "; ".join(violations))
        self.violations = violations
