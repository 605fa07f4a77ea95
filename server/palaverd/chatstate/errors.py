"""Reasons why a transition did not happen, each a type with fields. The door raises them."""

from __future__ import annotations

from palaverd.chatstate.states import State
from palaverd.chatstate.table import Transition


class TransitionError(Exception):
    """A transition that was not applied. `code` is the machine-readable reason."""

    code = "conflict"

    def __init__(self, transition: Transition, state: State, cause: str) -> None:
        super().__init__(f"{transition.value} in {state.name}: {cause}")
        self.transition = transition
        self.state = state
        self.cause = cause


class Refused(TransitionError):
    """The table has no such transition from this state."""

    code = "refused"


class QueueFull(TransitionError):
    """The queue has reached its limit."""

    code = "queue_full"


class StaleVersion(TransitionError):
    """The request named an outdated version."""

    code = "stale_version"


class NotInQueue(TransitionError):
    """The queued message no longer exists; it was promoted or removed."""

    code = "not_in_queue"


class UnknownCall(TransitionError):
    """The chat has no tool call with this id."""

    code = "unknown_call"


class NotAUserMessage(TransitionError):
    """There is no such message, or it is not a user's."""

    code = "no_such_message"


class OrderConflict(TransitionError):
    """The new order is not a permutation of the current queue."""

    code = "order_conflict"


class KeyReused(TransitionError):
    """The idempotency key was used for another operation or other content."""

    code = "idempotency_key_reused"


class ChatNotFound(Exception):
    """There is no such chat, or it belongs to another owner."""

    def __init__(self, chat_id: str) -> None:
        super().__init__(f"There is no chat {chat_id}.")
        self.chat_id = chat_id


class FenceLost(Exception):
    """The chat's row no longer matches the fence of the worker's task; nothing was changed."""

    def __init__(self, chat_id: str, expected: str, found: str) -> None:
        super().__init__(f"chat {chat_id}: started for {expected}, the row says {found}")
        self.chat_id = chat_id


class BrokenInvariant(AssertionError):
    """The transaction would have left the chat in an invalid state."""

    def __init__(self, chat_id: str, violations: list[str]) -> None:
        super().__init__(f"chat {chat_id}: " + "; ".join(violations))
        self.violations = violations
