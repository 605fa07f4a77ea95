"""Chat ids on the command line: whole, or an unambiguous prefix."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from palaver.cli import words
from palaver.cli.completion import complete_chats

if TYPE_CHECKING:
    from palaver.client import Client
    from palaver.wire.chats import Chat

F = TypeVar("F", bound=Callable[..., Any])

# Candidates to list.
SHOWN: Final = 5


def chat_argument(function: F) -> F:
    """Add the argument ID to a command, as `chat_id`, with shell completion."""
    return click.argument("chat_id", metavar="ID", shell_complete=complete_chats)(function)


def chats_argument(function: F) -> F:
    """Add the argument ID..., one or more, to a command, as `chat_ids`."""
    return click.argument(
        "chat_ids", metavar="ID...", nargs=-1, required=True, shell_complete=complete_chats
    )(function)


async def find_chat(client: Client, named: str) -> Chat:
    """Return the chat whose id is `named`, or the only one whose id begins with it.

    Archived chats count too. Takes one request, however many chats there are.

    Raises:
        PalaverError: there is no such chat, or several, which are listed.
    """
    from palaver.client import PalaverError

    beginning = named.strip().lower()
    found = (await client.chats(prefix=beginning, limit=SHOWN + 1)).chats if beginning else []
    # A daemon that ignores `prefix` returns any chats.
    found = [chat for chat in found if chat.id.startswith(beginning)]
    exact = [chat for chat in found if chat.id == beginning]
    if len(found) != 1 and not exact:
        raise PalaverError(_several(named, found) if found else _none(named))
    return (exact or found)[0]


async def find_id(client: Client, named: str) -> str:
    """Return the id of the chat that `find_chat` returns. Raises `PalaverError`."""
    return (await find_chat(client, named)).id


def _none(named: str) -> str:
    if not named.strip():
        return f"There is no chat {named!r}."
    return f"There is no chat {named}, and none whose id begins so."


def _several(named: str, found: list[Chat]) -> str:
    lines = [f"  {chat.id}  {words.title(chat)}" for chat in found[:SHOWN]]
    if len(found) > SHOWN:
        lines.append("  … and more")
    return "\n".join([f"Several chats have an id that begins with {named}:", *lines])
