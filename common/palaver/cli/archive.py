"""`palaver archive`, `unarchive` and `rm`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from palaver.cli import words
from palaver.cli.confirmation import confirm
from palaver.cli.ids import chats_argument, for_each
from palaver.cli.runtime import run_async
from palaver.cli.settings import Settings

if TYPE_CHECKING:
    from palaver.client import Client
    from palaver.wire.chats import Chat


@click.command(
    epilog="""\b
Examples:
  palaver archive ID
  palaver ls --json | jq -r 'select(.title | test("try")).id' | xargs palaver archive
  palaver ls --archived
"""
)
@chats_argument
@click.pass_obj
def archive(settings: Settings, chat_ids: tuple[str, ...]) -> None:
    """Archive chats, with those under them. Nothing is lost: `unarchive` restores them."""

    async def work(client: Client, chat: Chat) -> str:
        await _archive(client, chat)
        return f"Archived {words.quoted(chat)}."

    run_async(for_each(settings, chat_ids, work))


@click.command(
    epilog="""\b
Examples:
  palaver ls --archived
  palaver unarchive ID
"""
)
@chats_argument
@click.pass_obj
def unarchive(settings: Settings, chat_ids: tuple[str, ...]) -> None:
    """Restore archived chats."""
    from palaver.wire.queue import ChangeChat

    async def work(client: Client, chat: Chat) -> str:
        await client.change_chat(chat.id, ChangeChat(archived=False))
        return f"{words.quoted(chat)} is back."

    run_async(for_each(settings, chat_ids, work))


@click.command(
    short_help="Delete chats for good, with all their messages.",
    epilog="""\b
Examples:
  palaver rm ID
  palaver rm --yes ID ID
""",
)
@chats_argument
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.pass_obj
def rm(settings: Settings, chat_ids: tuple[str, ...], yes: bool) -> None:
    """Delete chats for good, with all messages and the chats under them. Asks first."""

    async def work(client: Client, chat: Chat) -> str:
        if not yes:
            waiting = f", {chat.queue_length} of which wait in its queue"
            goes = f"all its messages{waiting if chat.queue_length else ''}"
            if under := await _under(client, chat):
                goes += f", and the {'chat' if under == 1 else f'{under} chats'} under it"
            confirm(f"Delete {words.quoted(chat)} for good, with {goes}?")
        # Only archived chats can be deleted, so that no running chat is.
        if not chat.archived:
            await _archive(client, chat)
        await client.delete_chat(chat.id)
        return f"Deleted {words.quoted(chat)}."

    run_async(for_each(settings, chat_ids, work))


async def _archive(client: Client, chat: Chat) -> None:
    from palaver.wire.queue import ChangeChat

    await client.change_chat(chat.id, ChangeChat(archived=True))


async def _under(client: Client, chat: Chat) -> int:
    """Return the number of a chat's descendants, including archived ones."""
    from palaver.client.pages import listed_chats

    parents: dict[str, str] = {}
    for archived in (False, True):
        async for one in listed_chats(client, archived=archived):
            if one.parent_id is not None:
                parents[one.id] = one.parent_id
    under = {chat.id}
    while more := {one for one, parent in parents.items() if parent in under} - under:
        under |= more
    return len(under) - 1
