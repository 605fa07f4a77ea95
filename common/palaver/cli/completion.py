"""Shell completion of chat ids and models.

It asks a running daemon only, with a short timeout: completion must not start anything, and fails
silently.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
from click.shell_completion import CompletionItem

from palaver.cli import words

if TYPE_CHECKING:
    from palaver.client import Client, Endpoint

T = TypeVar("T")

# Timeout in seconds. A local daemon responds in milliseconds; a longer wait seems broken.
PATIENCE_S: Final = 1.0
# More would not fit on a screen.
MOST: Final = 60


def complete_chats(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the ids that begin with `incomplete`, newest activity first, with their titles."""

    async def ask(client: Client) -> list[CompletionItem]:
        beginning = incomplete.lower()
        page = await client.chats(prefix=beginning, limit=MOST)
        return [
            CompletionItem(chat.id, help=f"{words.title(chat)} ({words.status(chat.status)})")
            for chat in page.chats
            if chat.id.startswith(beginning)
        ]

    return _asked(ctx, ask)


def complete_models(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the models whose names begin with `incomplete`."""

    async def ask(client: Client) -> list[CompletionItem]:
        models = (await client.models()).models
        return [
            CompletionItem(model.name, help=f"{model.model} of {model.provider}")
            for model in models
            if model.name.startswith(incomplete)
        ]

    return _asked(ctx, ask)


def _asked(
    ctx: click.Context, ask: Callable[[Client], Awaitable[list[CompletionItem]]]
) -> list[CompletionItem]:
    # Imported here: completion of commands needs none of it.
    import asyncio

    from palaver.client import Client, PalaverError

    async def answer() -> list[CompletionItem]:
        async with asyncio.timeout(PATIENCE_S):
            endpoint = await _endpoint(ctx)
            if endpoint is None:
                return []
            async with Client(endpoint) as client:
                return await ask(client)

    try:
        return asyncio.run(answer())
    except (PalaverError, click.ClickException, OSError, TimeoutError):
        return []


async def _endpoint(ctx: click.Context) -> Endpoint | None:
    """Return the endpoint that the options of this command line select.

    None for ssh, which may prompt for a password.
    """
    from palaver.cli.options import OPTIONS, settings_of
    from palaver.client import Endpoint
    from palaver.paths import socket_path
    from palaver.remote.address import Ssh

    options: dict[str, Any] = {name: ctx.find_root().params.get(name) for name in OPTIONS}
    settings = settings_of(**options)
    if settings.server is None:
        return Endpoint.unix(socket_path(settings.data_dir))
    return None if isinstance(settings.server.place, Ssh) else await settings.connect()
