"""Labels, pins and read chats: whether the daemon has them, and what a terminal has shown."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from palaver.cli import words
from palaver.cli.features import require

if TYPE_CHECKING:
    from palaver.client import Client


async def check_marks(client: Client) -> None:
    """Check that the daemon has labels, pins, read chats and the filters of the list.

    Raises:
        PalaverError: it is too old for that.
    """
    from palaver.wire.protocol import CHAT_MARKS

    await require(client, CHAT_MARKS, "knows no labels, pins and read chats")


async def shown(client: Client, chat_id: str, snapshot: int) -> None:
    """Report a chat as read up to a snapshot, if standard output is a terminal.

    What is printed into a pipe or a file has nobody read yet.
    """
    from palaver.client import PalaverError, Refused
    from palaver.wire.protocol import CHAT_MARKS
    from palaver.wire.queue import ReadChat

    if sys.stdout is None or not sys.stdout.isatty():
        return
    try:
        if CHAT_MARKS in (await client.meet()).capabilities:
            await client.mark_read(chat_id, ReadChat(snapshot))
    except PalaverError as error:
        # A token for reading cannot report anything, and its user knows.
        if not (isinstance(error, Refused) and error.problem.code == "scope"):
            words.notice(f"The chat still counts as unread: {error}")
