"""`palaver search`: find messages and titles by their words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from palaver.cli import exits, output, words
from palaver.cli.completion import complete_chats
from palaver.cli.features import require
from palaver.cli.ids import find_id
from palaver.cli.runtime import connected, run_async
from palaver.cli.settings import Settings

if TYPE_CHECKING:
    from palaver.wire.search import Hit, SearchPage

# The most hits that the daemon returns per page.
PAGE = 100


@click.command(
    short_help="Find messages and titles by their words.",
    # Words to exclude begin with a dash, as options do. Without options of one letter, since click
    # would find them in such a word: -path would ask for help.
    context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]},
    epilog="""\b
Examples:
  palaver search relay timer          both words, anywhere in a message or a title
  palaver search '"drain timer"'      next to each other
  palaver search relay -python        without the other
  palaver search 'dra*'               words that begin so
  palaver search relay --json | jq -r '.chat.id'
""",
)
@click.argument("wanted", metavar="WORDS...", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(min=1), default=20, help="At most so many (20).")
@click.option("--all", "everything", is_flag=True, help="All of them.")
@click.option(
    "--chat", "chat_id", metavar="ID", shell_complete=complete_chats, help="Only in this chat."
)
@click.option("--archived", is_flag=True, help="Only in archived chats.")
@click.option("--json", "as_json", is_flag=True, help="Print each hit as one line of JSON.")
@click.pass_obj
def search(
    settings: Settings,
    wanted: Sequence[str],
    limit: int,
    everything: bool,
    chat_id: str | None,
    archived: bool,
    as_json: bool,
) -> None:
    """Find messages and titles with all of the WORDS, the best ones first: chat, place, text."""
    run_async(
        _search(
            settings,
            " ".join(wanted),
            None if everything else limit,
            chat_id=chat_id,
            archived=True if archived else None,
            as_json=as_json,
        )
    )


async def _search(
    settings: Settings,
    q: str,
    limit: int | None,
    *,
    chat_id: str | None,
    archived: bool | None,
    as_json: bool,
) -> int:
    from palaver.wire.protocol import SEARCH

    async with connected(settings) as client:
        await require(client, SEARCH, "cannot search messages")
        chat = None if chat_id is None else await find_id(client, chat_id)
        cursor: str | None = None
        left = limit
        while left is None or left > 0:
            size = PAGE if left is None else min(PAGE, left)
            page = await client.search(q, limit=size, cursor=cursor, archived=archived, chat=chat)
            for hit in page.hits:
                if as_json:
                    output.write_json(hit)
                else:
                    output.write_coloured(text(hit, colour=_has_colour()))
            if cursor is None:
                _report(page)
            cursor = page.next_cursor
            left = None if left is None else left - len(page.hits)
            if cursor is None:
                break
    return exits.FINISHED


def _report(page: SearchPage) -> None:
    if not page.complete:
        words.notice(
            f"Older messages are still being indexed ({page.indexed:.0%} done): "
            "some may not be found yet."
        )
    if not page.hits:
        words.notice("Nothing was found.")


def _has_colour() -> bool:
    import sys

    return words.wants_color() is not False and sys.stdout is not None and sys.stdout.isatty()


def text(hit: Hit, *, colour: bool) -> str:
    """Return a hit as two lines: the chat and the place in it, and a line of the text.

    The words that were found are bold with `colour`, which is for a terminal alone.
    """
    place = "title"
    if hit.message_id is not None and hit.created_at is not None:
        when = hit.created_at.astimezone().strftime("%Y-%m-%d %H:%M")
        place = f"{hit.role} {when} #{hit.message_id}"
    archived = "  (archived)" if hit.chat.archived else ""
    head = f"{hit.chat.id}  {place}  {words.title(hit.chat)}{archived}"
    line = "".join(
        click.style(words.visible(span.text), fg="yellow", bold=True)
        if span.match and colour
        else words.visible(span.text)
        for span in hit.snippet
    )
    return f"{head}\n    {line}\n"
