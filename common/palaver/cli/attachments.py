"""The option that attaches files to a message."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from palaver.cli.features import require

if TYPE_CHECKING:
    from palaver.client import Client

F = TypeVar("F", bound=Callable[..., Any])
NAME_LIMIT = 200  # characters of a file's name that the daemon accepts


def attach_option() -> Callable[[F], F]:
    """Return the option `--attach`, which may be given several times."""
    return click.option(
        "--attach",
        "-a",
        "attached",
        metavar="PATH",
        multiple=True,
        help="A file for the model to read: text, a picture, PDF. Several times for several.",
    )


async def send_files(client: Client, paths: Sequence[str]) -> list[str]:
    """Send files; return their ids, for a message.

    Raises:
        PalaverError: one cannot be read, or the daemon refused it or is too old for it.
    """
    from pathlib import Path

    from palaver.client import PalaverError
    from palaver.wire.protocol import ATTACHMENTS

    if paths:
        await require(client, ATTACHMENTS, "takes no files with messages")
    ids = []
    for path in map(Path, paths):
        try:
            with path.open("rb") as file:
                ids.append((await client.send_file(path.name[-NAME_LIMIT:], file)).id)
        except OSError as error:
            raise PalaverError(f"{path} cannot be read: {error.strerror}.") from None
    return ids
