"""How a run ended: the last line of `--json`, the exit code, and the sentence on stderr."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from palaver.cli import exits
from palaver.cli.turn import Outcome, Turn
from palaver.client import PalaverError, Refused
from palaver.wire.errors import ChatError

EXIT_CODES: Final[dict[Outcome, int]] = {
    "finished": exits.FINISHED,
    "error": exits.CHAT_ERROR,
    "action_required": exits.ACTION_REQUIRED,
    "interrupted": exits.INTERRUPTED,
    "held": exits.FAILED,
    "gone": exits.FAILED,
}

SENTENCES: Final[dict[Outcome, str]] = {
    "error": "The turn ended in an error.",
    "action_required": "The model asks for an approval: open the chat with  palaver attach {chat}",
    "interrupted": "The answer was interrupted.",
    "held": "The message waits in the queue of chat {chat}, which somebody holds.",
    "gone": "The message was removed from chat {chat} before it was answered.",
}


class Result(msgspec.Struct):
    """`status` is an `Outcome`, `running` for a detached run, or `failed` with `error`."""

    chat_id: str | None = None
    status: str = "running"
    text: str = ""
    usage: Any = None
    error: Any = None

    def line(self) -> str:
        """Return the result as one JSON line."""
        return msgspec.json.encode({"type": "result", **msgspec.structs.asdict(self)}).decode()


def of_turn(chat_id: str, turn: Turn) -> Result:
    """Return how `turn` ended; it has an outcome."""
    status = turn.outcome or "running"
    error = turn.error if status == "error" else None
    return Result(chat_id, status, turn.text, turn.usage, error)


def of_failure(chat_id: str | None, failure: PalaverError) -> Result:
    """Return a result for what could not be asked, or not be followed to its end."""
    if not isinstance(failure, Refused):
        return Result(chat_id, "failed", error=ChatError("generic", str(failure)))
    problem = failure.problem
    if problem.chat_error is not None:
        return Result(chat_id, "failed", error=problem.chat_error)
    # With every field of an error, as any other, and the word for programs beside them.
    error = msgspec.structs.asdict(ChatError("generic", problem.detail))
    return Result(chat_id, "failed", error={**error, "code": problem.code})


def sentence(chat_id: str, turn: Turn) -> str | None:
    """Return what a person is told on stderr beside the answer, if anything."""
    if turn.outcome == "error" and turn.error is not None:
        error = turn.error
        facts = [
            f"{name} {value}"
            for name, value in (
                ("kind", error.kind),
                ("provider", error.provider),
                ("status", error.status_code),
                ("request", error.request_id),
            )
            if value is not None
        ]
        return f"{error.message} ({', '.join(facts)})"
    template = SENTENCES.get(turn.outcome) if turn.outcome is not None else None
    return template.format(chat=chat_id) if template else None
