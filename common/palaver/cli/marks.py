"""`palaver pin`, `unpin`, `label` and `read`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from palaver.cli import exits, output, words
from palaver.cli.chat_marks import check_marks
from palaver.cli.ids import (
    chat_argument,
    chats_argument,
    find_chat,
    for_each,
    optional_chats_argument,
)
from palaver.cli.runtime import connected, run_async
from palaver.cli.settings import Settings

if TYPE_CHECKING:
    from palaver.client import Client
    from palaver.wire.chats import Chat


GONE: Final = 404  # the chat was deleted since it was listed


@click.command(
    short_help="Pin chats, so that they come first.",
    epilog="""\b
Examples:
  palaver pin ID
  palaver pin ID --place 2
  palaver pin ID ID ID             # in this order
""",
)
@chats_argument
@click.option(
    "--place", "-p", type=click.IntRange(min=1), default=1, help="Which place, from 1 (1)."
)
@click.pass_obj
def pin(settings: Settings, chat_ids: tuple[str, ...], place: int) -> None:
    """Pin chats: they come first in every list, at --place among the pinned ones."""
    places = iter(range(place - 1, place - 1 + len(chat_ids)))

    async def work(client: Client, chat: Chat) -> str:
        from palaver.wire.queue import ChangeChat

        await check_marks(client)
        pinned = await client.change_chat(chat.id, ChangeChat(pin_order=next(places)))
        return f"Pinned {words.quoted(chat)} at place {(pinned.pin_order or 0) + 1}."

    run_async(for_each(settings, chat_ids, work))


@click.command(short_help="Unpin chats.", epilog="\b\nExample:\n  palaver unpin ID\n")
@chats_argument
@click.pass_obj
def unpin(settings: Settings, chat_ids: tuple[str, ...]) -> None:
    """Unpin chats: they are listed by their last activity again."""

    async def work(client: Client, chat: Chat) -> str:
        from palaver.wire.queue import ChangeChat

        await check_marks(client)
        await client.change_chat(chat.id, ChangeChat(pin_order=None))
        return f"{words.quoted(chat)} is not pinned any more."

    run_async(for_each(settings, chat_ids, work))


@click.command(
    short_help="Print or change the labels of a chat.",
    epilog="""\b
Examples:
  palaver label ID                          # prints them
  palaver label ID urgent team=docs
  palaver label ID --remove urgent
  palaver ls --label team=docs
""",
)
@chat_argument
@click.argument("labels", metavar="[NAME[=VALUE]]...", nargs=-1)
@click.option("--remove", "-r", metavar="NAME", multiple=True, help="Remove this label.")
@click.pass_obj
def label(
    settings: Settings, chat_id: str, labels: tuple[str, ...], remove: tuple[str, ...]
) -> None:
    """Set labels of a chat, each a name with or without a value, or remove some.

    Other labels are kept. Without a change, the labels are printed, one per line.
    """
    changes: dict[str, str | None] = dict.fromkeys(remove)
    for name, _, value in (text.partition("=") for text in labels):
        if name in changes:
            raise click.UsageError(f"The label {name} is given more than once.")
        changes[name] = value
    run_async(_label(settings, chat_id, changes))


async def _label(settings: Settings, named: str, changes: dict[str, str | None]) -> int:
    from palaver.wire.queue import ChangeChat

    async with connected(settings) as client:
        chat = await find_chat(client, named)
        if not changes:
            for text in words.labels(chat):
                output.write_line(text)
            return exits.FINISHED
        await check_marks(client)
        chat = await client.change_chat(chat.id, ChangeChat(labels=changes))
    now = ", ".join(words.labels(chat)) or "none"
    words.notice(f"Labels of {words.quoted(chat)}: {now}.")
    return exits.FINISHED


@click.command(
    short_help="Mark chats as read.",
    epilog="""\b
Examples:
  palaver ls --unread
  palaver read ID
  palaver read --all
""",
)
@optional_chats_argument
@click.option("--all", "everything", is_flag=True, help="All chats that are not archived.")
@click.pass_obj
def read(settings: Settings, chat_ids: tuple[str, ...], everything: bool) -> None:
    """Mark chats as read, with all that has arrived in them.

    The interface does so with what it shows, and `run` and `show` with what they print on a
    terminal.
    """
    if everything is bool(chat_ids):
        raise click.UsageError("Name the chats that are read, or give --all.")

    async def work(client: Client, chat: Chat) -> str:
        from palaver.wire.queue import ReadChat

        await check_marks(client)
        await client.mark_read(chat.id, ReadChat())
        return f"{words.quoted(chat)} is read."

    run_async(_read_all(settings) if everything else for_each(settings, chat_ids, work))


async def _read_all(settings: Settings) -> int:
    from palaver.client import Refused
    from palaver.client.pages import listed_chats
    from palaver.wire.queue import ReadChat

    count, code = 0, exits.FINISHED
    async with connected(settings) as client:
        await check_marks(client)
        async for chat in listed_chats(client, unread=True):
            # What arrives from now on is not read.
            try:
                await client.mark_read(chat.id, ReadChat(chat.versions.snapshot))
            except Refused as error:
                if error.problem.status != GONE:  # which is about this chat alone
                    raise
                words.failure(f"{words.quoted(chat)}: {error}")
                code = exits.FAILED
            else:
                count += 1
    what = {0: "Nothing was unread.", 1: "1 chat is read."}
    if count or code == exits.FINISHED:
        words.notice(what.get(count, f"{count} chats are read."))
    return code
