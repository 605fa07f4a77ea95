"""What a chat asks of a client: the open calls, and the questions among them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

# The tool by which a model asks a person.
ASK_USER = "ask_user"
# One digit chooses an option.
MOST_OPTIONS = 9
OPTION_LENGTH = 300  # characters; longer ones belong into the question
# Characters of a question in the list of chats, which shows one line of it.
SUMMARY_LENGTH = 200

# What a client gives: permission to run the tool, or the call's result.
Needs = Literal["approval", "result"]

_SOMETHING = r"\S"


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The arguments of `ask_user`. The answer is an option, or the person's own words."""

    question: Annotated[
        str, Meta(pattern=_SOMETHING, description="The question, in Markdown. Ask one thing.")
    ]
    options: Annotated[
        list[Annotated[str, Meta(pattern=_SOMETHING, max_length=OPTION_LENGTH)]],
        Meta(
            max_length=MOST_OPTIONS,
            description="Answers to choose from, if there are likely ones. The person may always"
            " answer in their own words instead.",
        ),
    ] = []


class OpenCall(msgspec.Struct, frozen=True, omit_defaults=True):
    """A call that waits for a client, and until when (None: for ever).

    `arguments` is JSON text as the model wrote it. `question` and `options` are those of a
    question to a person, which has one; any other call is for the client that declared its tool.
    """

    call_id: str
    tool: str
    arguments: str = "{}"
    needs: Needs = "result"
    question: str | None = None
    options: list[str] = []
    deadline: datetime | None = None


class Asks(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a chat waits for, in short: the number of calls, and the tool of the first one.

    If there is a question to a person, it is that one, and `question` is its beginning in one line.
    """

    calls: int
    tool: str
    question: str | None = None


def open_call(
    call_id: str, tool: str, arguments: str, needs: Needs, deadline: datetime | None
) -> OpenCall:
    """Return a call as a client is shown it."""
    question = question_of(tool, arguments)
    return OpenCall(
        call_id=call_id,
        tool=tool,
        arguments=arguments,
        needs=needs,
        question=None if question is None else question.question,
        options=[] if question is None else question.options,
        deadline=deadline,
    )


def question_of(tool: str, arguments: str) -> Question | None:
    """Return the question that a call asks; None if it is no question."""
    if tool != ASK_USER:
        return None
    try:
        return msgspec.json.decode(arguments, type=Question)
    except (msgspec.DecodeError, UnicodeError):  # another version's, or not valid
        return None


def in_short(calls: list[OpenCall]) -> Asks | None:
    """Return the summary of the calls that wait; None without any."""
    if not calls:
        return None
    first = next((call for call in calls if call.question is not None), calls[0])
    line = None if first.question is None else " ".join(first.question.split())
    if line is not None and len(line) > SUMMARY_LENGTH:
        line = line[: SUMMARY_LENGTH - 1] + "…"
    return Asks(len(calls), first.tool, line)
