"""`palaver ls`: list chats, pinned ones first, then the newest activity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from palaver.cli import exits, output, words
from palaver.cli.chat_marks import check_marks
from palaver.cli.completion import complete_chats
from palaver.cli.ids import find_id
from palaver.cli.runtime import connected, run_async
from palaver.cli.settings import Settings

if TYPE_CHECKING:
    from palaver.wire.chats import Chat, ChatStatus


@dataclass(frozen=True)
class Filter:
    """Which chats to list, as the options say."""

    archived: bool
    q: str | None
    labels: tuple[str, ...]
    statuses: tuple[ChatStatus, ...]
    parent: str | None
    unread: bool

    @property
    def needs_marks(self) -> bool:
        """Whether an older daemon would ignore a part of it, and list other chats, too."""
        return bool(self.labels or self.statuses or self.parent or self.unread)


def _statuses(
    _ctx: click.Context, _parameter: click.Parameter, given: tuple[str, ...]
) -> tuple[ChatStatus, ...]:
    """Return the API's words for statuses; those that users see and the API's own are accepted."""
    shown = {words.status(status): status for status in words.STATUSES}
    known = shown | {status: status for status in words.STATUSES}
    for word in given:
        if word not in known:
            raise click.BadParameter(f"{word!r} is none of {', '.join(shown)}.")
    return tuple(known[word] for word in given)


@click.command(
    short_help="List the chats, pinned ones first.",
    epilog="""\b
Examples:
  palaver ls
  palaver ls --limit 10 --query relay
  palaver ls --unread --label team=docs
  palaver ls --status failed --status asks
  palaver ls --all --json | jq -r 'select(.status == "error").id'
""",
)
@click.option("--limit", "-n", type=click.IntRange(min=1), default=50, help="At most so many (50).")
@click.option("--all", "everything", is_flag=True, help="All of them.")
@click.option("--archived", is_flag=True, help="The archived ones.")
@click.option("--query", "-q", metavar="TEXT", help="Only chats that match TEXT.")
@click.option(
    "--label",
    "-l",
    "labels",
    metavar="NAME[=VALUE]",
    multiple=True,
    help="Only chats with this label; with several, those that have all.",
)
@click.option(
    "--status",
    "-s",
    "statuses",
    metavar="STATUS",
    multiple=True,
    callback=_statuses,
    help="Only chats in this status, as it is listed; with several, any of them.",
)
@click.option(
    "--parent", metavar="ID", shell_complete=complete_chats, help="Only the chats under this one."
)
@click.option("--unread", is_flag=True, help="Only chats in which something new has arrived.")
@click.option("--json", "as_json", is_flag=True, help="Print each chat as one line of JSON.")
@click.pass_obj
def ls(
    settings: Settings,
    limit: int,
    everything: bool,
    archived: bool,
    query: str | None,
    labels: tuple[str, ...],
    statuses: tuple[ChatStatus, ...],
    parent: str | None,
    unread: bool,
    as_json: bool,
) -> None:
    """List the chats, pinned ones first, then the newest activity.

    Each line has the id, marks (* unread, ^ pinned), status, queue length, last activity, title,
    labels, and what the chat asks.
    """
    wanted = Filter(archived, query, labels, statuses, parent, unread)
    run_async(_ls(settings, None if everything else limit, wanted, as_json=as_json))


async def _ls(settings: Settings, limit: int | None, wanted: Filter, *, as_json: bool) -> int:
    from palaver.client.pages import listed_chats

    async with connected(settings) as client:
        if wanted.needs_marks:
            await check_marks(client)
        parent = await find_id(client, wanted.parent) if wanted.parent is not None else None
        chats = listed_chats(
            client,
            limit,
            archived=wanted.archived,
            q=wanted.q,
            labels=wanted.labels,
            statuses=wanted.statuses,
            parent=parent,
            unread=True if wanted.unread else None,
        )
        async for chat in chats:
            if as_json:
                output.write_json(chat)
            else:
                output.write_line(row(chat))
    return exits.FINISHED


def row(chat: Chat) -> str:
    """Return a chat as one line: id, marks, status, queue, last activity, title, labels, question.

    The time is local. `*` marks an unread chat, `^` a pinned one.
    """
    marks = ("*" if chat.unread else " ") + ("^" if chat.pin_order is not None else " ")
    queue = f"+{chat.queue_length}" if chat.queue_length else ""
    when = chat.updated_at.astimezone().strftime("%Y-%m-%d %H:%M")
    status = words.status(chat.status)
    labels = f"  [{' '.join(words.labels(chat))}]" if chat.labels else ""
    asks = f"  ? {words.asks(chat.asks)}" if chat.asks is not None else ""
    return f"{chat.id} {marks} {status:<12} {queue:<3} {when}  {words.title(chat)}{labels}{asks}"
