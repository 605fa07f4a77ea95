"""`palaver export` and `import`: chats as documents."""

from __future__ import annotations

import codecs
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, BinaryIO

import click

from palaver.cli import exits, output, words
from palaver.cli.features import require
from palaver.cli.ids import chat_argument, find_chat
from palaver.cli.runtime import connected, run_async
from palaver.cli.settings import Settings

if TYPE_CHECKING:
    from palaver.client import Client
    from palaver.wire.exports import ExportKind


@click.command(
    short_help="Write a chat as Markdown, or as JSON to import.",
    epilog="""\b
Examples:
  palaver export ID | less
  palaver export ID -o relay.md
  palaver export ID --format json -o relay.json && palaver import relay.json
""",
)
@chat_argument
@click.option(
    "--format",
    "kind",
    type=click.Choice(["md", "json"]),
    help="md to read, json to import; by default by the ending of FILE, else md.",
)
@click.option(
    "--output",
    "-o",
    "target",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write to FILE, which is replaced. Without it, to standard output.",
)
@click.pass_obj
def export(settings: Settings, chat_id: str, kind: ExportKind | None, target: str | None) -> None:
    """Write a chat with all its messages as Markdown, or as JSON for `palaver import`.

    Not in it: messages that wait in the queue, files of the workspace, and what only the provider
    needs.
    """
    run_async(_export(settings, chat_id, kind, target))


async def _export(
    settings: Settings, chat_id: str, kind: ExportKind | None, target: str | None
) -> int:
    from pathlib import Path

    from palaver.client.saving import save
    from palaver.wire.exports import kind_of

    path = None if target is None else Path(target)
    if kind is None:
        kind = kind_of(target or "")
    async with connected(settings) as client:
        chat = await find_chat(client, chat_id)
        await _check_able(client)
        pieces = client.export_chat(chat.id, kind)
        if path is None:
            await _write(pieces, kind)
        else:
            await save(pieces, path)
            words.notice(f"Exported {words.quoted(chat)} to {path}.")
    return exits.FINISHED


async def _write(pieces: AsyncGenerator[bytes], kind: ExportKind) -> None:
    """Write a document to standard output while it arrives."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    async for piece in pieces:
        text = decoder.decode(piece)
        if kind == "json":
            output.write_json_text(text)
        else:
            output.write(text)


@click.command(
    name="import",
    short_help="Create a chat from an export in JSON.",
    epilog="""\b
Examples:
  palaver import relay.json                        prints the new chat's id
  palaver --server box export ID --format json | palaver import -
""",
)
@click.argument("document", metavar="FILE", type=click.File("rb"))
@click.option("--json", "as_json", is_flag=True, help="Print the daemon's answer.")
@click.pass_obj
def import_(settings: Settings, document: BinaryIO, as_json: bool) -> None:
    """Create a chat from FILE, an export in JSON; `-` is standard input.

    The new chat has ids of its own. It waits: send it a message to go on.
    """
    from tempfile import TemporaryFile

    with TemporaryFile() as whole:
        # Standard input has no size. Read before the event loop begins: it may take long, and there
        # a Ctrl-C would not interrupt it.
        _copy(document, whole)
        run_async(_import(settings, whole, as_json=as_json))


async def _import(settings: Settings, document: BinaryIO, *, as_json: bool) -> int:
    from uuid import uuid4

    async with connected(settings) as client:
        await _check_able(client)
        imported = await client.import_chat(document, key=uuid4().hex)
    if as_json:
        output.write_json(imported)
    else:
        output.write_line(imported.chat.id)
    return exits.FINISHED


def _copy(document: BinaryIO, whole: BinaryIO) -> None:
    from shutil import copyfileobj

    from palaver.client import PalaverError

    try:
        copyfileobj(document, whole)
    except OSError as error:
        raise PalaverError(f"The file could not be read: {error.strerror}.") from error


async def _check_able(client: Client) -> None:
    from palaver.wire.protocol import EXPORTS

    await require(client, EXPORTS, "does not export or import chats")
