"""`palaver answer`: answer a question of the model, or give the result of a client's tool."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from palaver.cli import exits, output, words
from palaver.cli.ids import chat_argument, find_chat
from palaver.cli.runtime import connected, run_async, with_piped
from palaver.cli.settings import Settings
from palaver.cli.stream_state import read_event

if TYPE_CHECKING:
    from palaver.wire.questions import OpenCall


@click.command(
    short_help="Answer a question of the model.",
    epilog="""\b
Examples:
  palaver show ID                       # what is asked, and the id of the call
  palaver answer ID CALL "The blue one"
  palaver answer ID CALL --option 2
  ./deploy 2>&1 | palaver answer ID CALL
""",
)
@chat_argument
@click.argument("call")
@click.argument("text", required=False)
@click.option("--option", "-o", type=click.IntRange(min=1), metavar="N", help="Choose option N.")
@click.option("--failed", is_flag=True, help="TEXT says why the call failed.")
@click.option("--json", "as_json", is_flag=True, help="Print the daemon's answer.")
@click.pass_obj
def answer(
    settings: Settings,
    chat_id: str,
    call: str,
    text: str | None,
    option: int | None,
    failed: bool,
    as_json: bool,
) -> None:
    """Answer a call that waits for a client: a question, or a tool that a client runs.

    CALL may be the beginning of its id. Piped input is appended to TEXT. Who answers first wins: a
    later answer changes nothing, and the command fails.
    """
    if option is not None and text is not None:
        raise click.UsageError("Either TEXT or --option, not both.")
    content = with_piped(text) if option is None else ""
    if option is None and not content:
        raise click.UsageError("There is no answer: give a TEXT or --option, or pipe one in.")
    run_async(_answer(settings, chat_id, call, option or content, failed=failed, as_json=as_json))


async def _answer(
    settings: Settings, named: str, call: str, given: int | str, *, failed: bool, as_json: bool
) -> int:
    from palaver.wire.actions import Answers, CallAnswer
    from palaver.wire.events import ActionRequired

    async with connected(settings) as client:
        chat = await find_chat(client, named)
        action = await read_event(client, settings, chat.id, ActionRequired)
        calls = action.calls if action is not None else []
        asked = _find(calls, call)
        text = given if isinstance(given, str) else _option(asked, given)
        # One that is not open is sent as it is: the daemon knows who answered it.
        reply = CallAnswer(asked.call_id if asked else call, text=text, is_error=failed)
        answered = await client.answer_calls(chat.id, Answers(chat.versions.turn, [reply]))
    if as_json:
        output.write_json(answered)
    if answered.lost:
        words.failure(f"This call was answered before, by {answered.lost[0].answered_by}.")
        return exits.FAILED
    if not as_json:
        left = len(answered.open_calls)
        words.notice(f"Answered; {left} more to answer." if left else "Answered; the chat goes on.")
    return exits.FINISHED


def _find(calls: list[OpenCall], named: str) -> OpenCall | None:
    """Return the open call whose id is `named` or alone begins so; None if there is none.

    Raises:
        PalaverError: several begin so.
    """
    from palaver.client import PalaverError

    found = [call for call in calls if call.call_id.startswith(named)]
    exact = [call for call in found if call.call_id == named]
    if len(found) > 1 and not exact:
        ids = ", ".join(call.call_id for call in found)
        raise PalaverError(f"Several calls have an id that begins with {named}: {ids}.")
    return next(iter(exact or found), None)


def _option(asked: OpenCall | None, number: int) -> str:
    """Return the text of an option of the question.

    Raises:
        PalaverError: there is no such option, or no such question.
    """
    from palaver.client import PalaverError

    options = asked.options if asked is not None else []
    if number > len(options):
        has = f"It has {len(options)}." if options else "It has no options."
        raise PalaverError(
            f"There is no option {number}. {has}" if asked else "No question with this id is open."
        )
    return options[number - 1]
