"""`palaver show`: print a whole chat as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from palaver.cli import exits, output, words
from palaver.cli.chat_marks import shown
from palaver.cli.ids import chat_argument, find_chat
from palaver.cli.runtime import connected, run_async
from palaver.cli.settings import Settings
from palaver.cli.stream_state import read_event

if TYPE_CHECKING:
    from palaver.wire.chats import PendingReason


# Why a pending chat waits.
WAITS_FOR: Final[dict[PendingReason, str]] = {
    "capacity": "as many chats as may are running already",
    "no_worker": "the daemon runs no chats (worker.enabled is false)",
    "wrong_host": "only the machine that has its files can run it",
    "starting": "a worker is about to take it",
}


@click.command(
    short_help="Print a chat from its first message to its last.",
    epilog="""\b
Examples:
  palaver show ID | less
  palaver show ID --json | jq -r 'select(.role == "user").parts[].text'
""",
)
@chat_argument
@click.option(
    "--json", "as_json", is_flag=True, help="The chat as one line, each message, and what it asks."
)
@click.pass_obj
def show(settings: Settings, chat_id: str, as_json: bool) -> None:
    """Print a chat from its first message to its last one, its status, and what it asks."""
    run_async(_show(settings, chat_id, as_json=as_json))


async def _show(settings: Settings, chat_id: str, *, as_json: bool) -> int:
    from palaver.cli.messages import failure_line, heading, message_text
    from palaver.cli.questions import asked_text
    from palaver.client.pages import messages_after
    from palaver.wire.events import ActionRequired

    async with connected(settings) as client:
        chat = await find_chat(client, chat_id)
        if as_json:
            output.write_json(chat)
        async for message in messages_after(client, chat.id):
            if as_json:
                output.write_json(message)
            else:
                head = heading(message.role, message.model, message.created_at)
                output.write(f"{head}{message_text(message)}\n\n")
        action = None
        if chat.status == "requires_action":
            action = await read_event(client, settings, chat.id, ActionRequired)
        if as_json and action is not None:
            output.write_json(action)
        if not as_json:
            words.notice(f"{words.status(chat.status)}: {words.title(chat)}")
            words.notice(words.tools(chat))
            if chat.pending is not None:
                since = f" since {chat.pending_since:%H:%M:%S} UTC" if chat.pending_since else ""
                words.notice(f"It waits{since}: {WAITS_FOR[chat.pending]}.")
            if chat.last_error is not None:
                words.notice(failure_line(chat.last_error))
            if action is not None and action.calls:
                words.notice(asked_text(chat.id, action.calls))
            if chat.unread:
                await shown(client, chat.id, chat.versions.snapshot)
    return exits.FINISHED
