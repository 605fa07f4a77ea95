"""The result of a run: the last line of `--json`, the exit code, and the sentence on stderr."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from palaver.cli import exits, output
from palaver.cli.questions import asked_text
from palaver.cli.turn import Outcome, Turn
from palaver.client import PalaverError, Refused
from palaver.wire.errors import ChatError
from palaver.wire.messages import Finish
from palaver.wire.questions import OpenCall

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
    "action_required": "The turn waits for a client: open the chat with  palaver attach {chat}",
    "interrupted": "The answer was interrupted.",
    "held": "The message waits in the queue of chat {chat}, which somebody holds.",
    "gone": "The message was removed from chat {chat} before it was answered.",
}


# Messages about an incomplete answer.
ENDINGS: Final[dict[Finish, str]] = {
    "length": "The answer was cut off at the model's output limit.",
    "content_filter": "The answer was ended by the provider's content filter.",
}
# It may be complete: a notice, no failure.
DOUBT: Final = "The provider did not say that this is the whole answer."
ALL_REASONING: Final = "There is no answer: the model reasoned, and wrote no text."
NO_TEXT: Final = "There is no answer: the model wrote no text."


class Result(msgspec.Struct):
    """The last line of `--json`.

    `status` is an `Outcome`, `running` for a detached run, or `failed` with `error`. `finish` is
    how the provider ended the answer, `stop` for a complete one; None without an answer. `asked`
    are the calls that wait for a client, for `action_required`.
    """

    chat_id: str | None = None
    status: str = "running"
    finish: Finish | None = None
    text: str = ""
    usage: Any = None
    error: Any = None
    asked: list[OpenCall] = []

    def write(self) -> None:
        """Write the result as one line of JSON."""
        output.write_json({"type": "result", **msgspec.structs.asdict(self)})


def turn_result(chat_id: str, turn: Turn) -> Result:
    """Return the result of `turn`, which has an outcome."""
    status = turn.outcome or "running"
    error = turn.error if status == "error" else None
    asked = turn.asked if status == "action_required" else []
    return Result(chat_id, status, turn.finish, turn.text, turn.usage, error, asked)


def exit_code(turn: Turn) -> int:
    """Return the exit code of a turn that has an outcome."""
    assert turn.outcome is not None
    return exits.INCOMPLETE if _lacks(turn) else EXIT_CODES[turn.outcome]


def _lacks(turn: Turn) -> str:
    """Return why a finished turn's answer is incomplete; "" if it is complete."""
    if turn.outcome != "finished":
        return ""
    ending = ENDINGS.get(turn.finish, "") if turn.finish is not None else ""
    if turn.text.strip():
        return ending
    return " ".join(filter(None, [ALL_REASONING if turn.reasoned else NO_TEXT, ending]))


def failure_result(chat_id: str | None, failure: PalaverError) -> Result:
    """Return the result for a message that could not be sent, or not be followed to its end."""
    if not isinstance(failure, Refused):
        return Result(chat_id, "failed", error=ChatError("generic", str(failure)))
    problem = failure.problem
    if problem.chat_error is not None:
        return Result(chat_id, "failed", error=problem.chat_error)
    # All fields of an error, with the problem's code.
    error = msgspec.structs.asdict(ChatError("generic", problem.detail))
    return Result(chat_id, "failed", error={**error, "code": problem.code})


def sentence(chat_id: str, turn: Turn) -> str | None:
    """Return the sentence for stderr, None if there is nothing to report."""
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
    if lacks := _lacks(turn):
        return lacks
    if turn.outcome == "finished" and turn.finish == "unknown":
        return DOUBT
    if turn.outcome == "action_required" and turn.asked:
        return asked_text(chat_id, turn.asked)
    template = SENTENCES.get(turn.outcome) if turn.outcome is not None else None
    return template.format(chat=chat_id) if template else None
