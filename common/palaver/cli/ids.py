"""Chat ids on the command line: whole, or an unambiguous prefix."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from palaver.cli import exits, words
from palaver.cli.completion import complete_chats
from palaver.cli.runtime import connected
from palaver.cli.settings import Settings

if TYPE_CHECKING:
    from palaver.client import Client
    from palaver.wire.chats import Chat

F = TypeVar("F", bound=Callable[..., Any])

# Changes one chat; returns the sentence that reports it.
Work = Callable[["Client", "Chat"], Awaitable[str]]

# Candidates to list.
SHOWN: Final = 5


def chat_argument(function: F) -> F:
    """Add the argument ID to a command, as `chat_id`, with shell completion."""
    return click.argument("chat_id", metavar="ID", shell_complete=complete_chats)(function)


def chats_argument(function: F) -> F:
    """Add the argument ID..., one or more, to a command, as `chat_ids`."""
    return _chats(required=True)(function)


def optional_chats_argument(function: F) -> F:
    """Add the argument [ID...], any number, to a command, as `chat_ids`."""
    return _chats(required=False)(function)


def _chats(*, required: bool) -> Callable[[F], F]:
    metavar = "ID..." if required else "[ID...]"
    return click.argument(
        "chat_ids", metavar=metavar, nargs=-1, required=required, shell_complete=complete_chats
    )


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


async def for_each(settings: Settings, chat_ids: Sequence[str], work: Work) -> int:
    """Do `work` with each chat; a refusal does not stop the others. Returns the exit code."""
    from palaver.client import PalaverError

    code = exits.FINISHED
    async with connected(settings) as client:
        for chat_id in chat_ids:
            try:
                words.notice(await work(client, await find_chat(client, chat_id)))
            except PalaverError as error:
                words.failure(str(error))
                code = exits.FAILED
    return code


def _none(named: str) -> str:
    if not named.strip():
        return f"There is no chat {named!r}."
    return f"There is no chat {named}, and none whose id begins so."


def _several(named: str, found: list[Chat]) -> str:
    lines = [f"  {chat.id}  {words.title(chat)}" for chat in found[:SHOWN]]
    if len(found) > SHOWN:
        lines.append("  … and more")
    return "\n".join([f"Several chats have an id that begins with {named}:", *lines])
