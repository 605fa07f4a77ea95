"""What the shell completes besides commands and options: ids and models.

Only a daemon that runs is asked, and briefly: a key in a shell starts nothing, and says nothing
when there is nothing to say.
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

# A key that takes longer feels broken; a daemon on this machine answers in milliseconds.
PATIENCE_S: Final = 1.0
# More than fit on a screen: the shell asks whether to show them, and nobody reads them.
MOST: Final = 60


def complete_chats(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the ids that begin so, newest activity first, with their titles."""

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
    """Return the configured models whose names begin so."""

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
    # Imported here: a key that completes a command needs none of it.
    import asyncio

    from palaver.client import PalaverError

    async def answer() -> list[CompletionItem]:
        from palaver.client import Client

        async with asyncio.timeout(PATIENCE_S), Client(_endpoint(ctx)) as client:
            return await ask(client)

    try:
        return asyncio.run(answer())
    except (PalaverError, OSError, TimeoutError):
        return []


def _endpoint(ctx: click.Context) -> Endpoint:
    """Return where the daemon of this command line answers: its options were read, not run."""
    from pathlib import Path

    from palaver.client import Endpoint
    from palaver.paths import default_data_dir, socket_path

    options: dict[str, Any] = ctx.find_root().params
    if options.get("socket"):
        return Endpoint.unix(Path(options["socket"]))
    given = options.get("data_dir")
    return Endpoint.unix(socket_path(Path(given) if given else default_data_dir()))
