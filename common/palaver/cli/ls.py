"""`palaver ls`: list chats, newest activity first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from palaver.cli import exits, output, words
from palaver.cli.runtime import connected, run_async
from palaver.cli.settings import Settings

if TYPE_CHECKING:
    from palaver.wire.chats import Chat

# The most chats that the daemon returns per page.
PAGE = 200


@click.command(
    short_help="List the chats, newest activity first.",
    epilog="""\b
Examples:
  palaver ls
  palaver ls --limit 10 --query relay
  palaver ls --all --json | jq -r 'select(.status == "error").id'
""",
)
@click.option("--limit", "-n", type=click.IntRange(min=1), default=50, help="At most so many (50).")
@click.option("--all", "everything", is_flag=True, help="All of them.")
@click.option("--archived", is_flag=True, help="The archived ones.")
@click.option("--query", "-q", metavar="TEXT", help="Only chats that match TEXT.")
@click.option("--json", "as_json", is_flag=True, help="Print each chat as one line of JSON.")
@click.pass_obj
def ls(
    settings: Settings,
    limit: int,
    everything: bool,
    archived: bool,
    query: str | None,
    as_json: bool,
) -> None:
    """List the chats, newest activity first: id, status, last activity, title."""
    run_async(
        _ls(settings, None if everything else limit, archived=archived, q=query, as_json=as_json)
    )


async def _ls(
    settings: Settings, limit: int | None, *, archived: bool, q: str | None, as_json: bool
) -> int:
    async with connected(settings) as client:
        cursor: str | None = None
        left = limit
        while left is None or left > 0:
            size = PAGE if left is None else min(PAGE, left)
            page = await client.chats(limit=size, cursor=cursor, archived=archived, q=q)
            for chat in page.chats:
                if as_json:
                    output.write_json(chat)
                else:
                    output.write_line(row(chat))
            cursor = page.next_cursor
            left = None if left is None else left - len(page.chats)
            if cursor is None:
                break
    return exits.FINISHED


def row(chat: Chat) -> str:
    """Return a chat as one line: id, status, queue, last activity (local time), title."""
    queue = f"+{chat.queue_length}" if chat.queue_length else ""
    when = chat.updated_at.astimezone().strftime("%Y-%m-%d %H:%M")
    status = words.status(chat.status)
    return f"{chat.id}  {status:<12} {queue:<3} {when}  {words.title(chat)}"
