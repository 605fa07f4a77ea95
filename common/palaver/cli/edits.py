"""`palaver rename`, `edit`, `fork` and `clear`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from palaver.cli import exits, output, words
from palaver.cli.completion import complete_models
from palaver.cli.confirmation import confirm
from palaver.cli.ids import chat_argument, find_chat
from palaver.cli.runtime import connected, run_async, with_piped
from palaver.cli.settings import Settings

if TYPE_CHECKING:
    from palaver.client import Client
    from palaver.wire.chats import Chat


@click.command(epilog='\b\nExample:\n  palaver rename ID "The relay test"\n')
@chat_argument
@click.argument("title")
@click.pass_obj
def rename(settings: Settings, chat_id: str, title: str) -> None:
    """Change the title of a chat."""
    run_async(_rename(settings, chat_id, title))


async def _rename(settings: Settings, chat_id: str, title: str) -> int:
    from palaver.wire.queue import ChangeChat

    async with connected(settings) as client:
        chat = await find_chat(client, chat_id)
        renamed = await client.change_chat(chat.id, ChangeChat(title=title))
    words.notice(f"{words.quoted(chat)} is called {words.quoted(renamed)} now.")
    return exits.FINISHED


@click.command(
    epilog="""\b
Examples:
  palaver edit ID "Why is the sky red?"       replaces the last message you sent
  palaver show ID --json | jq -c 'select(.role == "user") | [.id, .parts[0].text]'
  palaver edit ID --message 12 --yes "No, in Rust"
"""
)
@chat_argument
@click.argument("message", required=False)
@click.option("--message", "number", type=int, metavar="N", help="Which message; else your last.")
@click.option(
    "--model",
    "-m",
    metavar="M",
    shell_complete=complete_models,
    help="The model to answer it.",
)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print the daemon's answer.")
@click.pass_obj
def edit(
    settings: Settings,
    chat_id: str,
    message: str | None,
    number: int | None,
    model: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Edit an earlier message of yours, and exit. Everything after it is dropped.

    Piped input is appended to MESSAGE. Asks for confirmation, with the number of dropped messages.
    """
    content = with_piped(message)
    if not content:
        raise click.UsageError("There is nothing to say: give a MESSAGE, or pipe one in.")
    run_async(_edit(settings, chat_id, number, content, model, yes=yes, as_json=as_json))


async def _edit(
    settings: Settings,
    chat_id: str,
    number: int | None,
    content: str,
    model: str | None,
    *,
    yes: bool,
    as_json: bool,
) -> int:
    from palaver.client import PalaverError
    from palaver.client.pages import newest_of_person
    from palaver.wire.actions import EditMessage

    async with connected(settings) as client:
        chat = await find_chat(client, chat_id)
        if number is None:
            last = await newest_of_person(client, chat.id)
            if last is None:
                raise PalaverError(f"Nobody has said anything in {words.quoted(chat)} yet.")
            number = last.id
        if not yes:
            goes = await _goes(client, chat, number)
            confirm(f"Dropped for it: {goes}. Go on?" if goes else "Say it anew?")
        # The version from before the question, so that newer messages are not dropped unseen.
        request = EditMessage(content, chat.versions.history, model)
        edited = await client.edit_message(chat.id, number, request)
    if as_json:
        output.write_json(edited)
    else:
        gone = dropped(len(edited.dropped) - 1, len(edited.dropped_queue))
        words.notice(f"Sent. Dropped for it: {gone}." if gone else "Sent.")
    return exits.FINISHED


async def _goes(client: Client, chat: Chat, number: int) -> str:
    """Return what an edit of message `number` drops, as a phrase.

    Raises:
        PalaverError: it is not a user's message.
    """
    from palaver.client import PalaverError
    from palaver.client.pages import messages_after

    after = -1
    async for message in messages_after(client, chat.id, number - 1):
        if after < 0 and (message.id != number or message.role != "user"):
            break
        after += message.visibility != "model"
    if after < 0:
        raise PalaverError(
            f"Message {number} is none of yours; `palaver show {chat.id} --json` has the numbers."
        )
    return dropped(after, chat.queue_length)


def dropped(after: int, queued: int) -> str:
    """Return a phrase for the messages `after` an edited one and the `queued` ones; "" for none."""
    parts = []
    if after:
        parts.append("1 message after it" if after == 1 else f"{after} messages after it")
    if queued:
        parts.append("1 that waits" if queued == 1 else f"{queued} that wait")
    return " and ".join(parts)


@click.command(
    short_help="Start a new chat with a copy of another one.",
    epilog="""\b
Examples:
  palaver fork ID                                  prints the new chat's id
  palaver run "And in Rust?" --chat "$(palaver fork ID --message 12)"
""",
)
@chat_argument
@click.option("--message", "number", type=int, metavar="N", help="The last one to take along.")
@click.option("--title", metavar="TITLE", help="What the new chat is called.")
@click.option("--json", "as_json", is_flag=True, help="Print the daemon's answer.")
@click.pass_obj
def fork(
    settings: Settings, chat_id: str, number: int | None, title: str | None, as_json: bool
) -> None:
    """Start a new chat with a copy of another one, up to message N if that is given."""
    run_async(_fork(settings, chat_id, number, title, as_json=as_json))


async def _fork(
    settings: Settings, chat_id: str, number: int | None, title: str | None, *, as_json: bool
) -> int:
    from palaver.client import PalaverError
    from palaver.wire.actions import Fork

    async with connected(settings) as client:
        chat = await find_chat(client, chat_id)
        if number is None:
            newest = (await client.messages(chat.id, limit=1)).messages
            if not newest:
                raise PalaverError(f"There is nothing in {words.quoted(chat)} to fork.")
            number = newest[0].id
        forked = await client.fork(chat.id, Fork(number, title))
    if as_json:
        output.write_json(forked)
    else:
        output.write_line(forked.chat.id)
    return exits.FINISHED


@click.command(epilog="\b\nExample:\n  palaver clear ID\n")
@chat_argument
@click.pass_obj
def clear(settings: Settings, chat_id: str) -> None:
    """Hide everything so far from the model. You still see it."""
    run_async(_clear(settings, chat_id))


async def _clear(settings: Settings, chat_id: str) -> int:
    from palaver.wire.actions import ClearContext

    async with connected(settings) as client:
        chat = await find_chat(client, chat_id)
        await client.clear(chat.id, ClearContext(chat.versions.history))
    words.notice("The model sees nothing of what was said so far. You still do.")
    return exits.FINISHED
