"""Format what a chat asks as plain text."""

from __future__ import annotations

from collections.abc import Sequence

from palaver.cli.words import visible
from palaver.wire.questions import OpenCall

# Characters of a tool's arguments; the messages of the chat have all of them.
ARGUMENTS = 500


def asked_text(chat_id: str, calls: Sequence[OpenCall]) -> str:
    """Return what a chat waits for, and the command that answers each call, in lines."""
    return "\n".join(line for call in calls for line in _lines(chat_id, call))


def _lines(chat_id: str, call: OpenCall) -> list[str]:
    until = f" until {call.deadline:%H:%M:%S} UTC" if call.deadline is not None else ""
    command = f"palaver answer {chat_id} {call.call_id}"
    if call.question is not None:
        asked = [f"The model asks{until}: {visible(call.question)}"]
        asked += [f"  {number}  {visible(one)}" for number, one in enumerate(call.options, 1)]
        choice = "  (or --option N)" if call.options else ""
        return [*asked, f"To answer:  {command} TEXT{choice}"]
    arguments = call.arguments
    if len(arguments) > ARGUMENTS:
        arguments = f"{arguments[:ARGUMENTS]} …"
    wanted = "the permission for" if call.needs == "approval" else "the result of"
    asked = [f"The model waits for {wanted} {visible(call.tool)} {visible(arguments)}{until}"]
    # A permission is given where everything is shown that it would do.
    return asked if call.needs == "approval" else [*asked, f"To give it:  {command} TEXT"]
