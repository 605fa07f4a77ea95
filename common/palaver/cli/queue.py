"""`palaver queue`: print or change a chat's queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from palaver.cli import exits, output
from palaver.cli.ids import chat_argument, find_chat
from palaver.cli.runtime import connected, run_async
from palaver.cli.settings import Settings
from palaver.cli.stream_state import read_event

if TYPE_CHECKING:
    from palaver.wire.messages import QueuedMessage


@click.command(
    short_help="Print or change the queue of a chat.",
    epilog="""\b
Examples:
  palaver queue ID
  palaver queue ID --json
  palaver queue ID --remove 7
  palaver queue ID --next 7        # stops the current turn, so that 7 is answered now
  palaver queue ID --hold
  palaver queue ID --release
""",
)
@chat_argument
@click.option("--remove", type=int, metavar="N", help="Remove message N; it is printed.")
@click.option("--next", "promote", type=int, metavar="N", help="Make message N the next one.")
@click.option("--hold", "order", flag_value="hold", help="Hold the queue.")
@click.option("--release", "order", flag_value="release", help="Release the queue.")
@click.option("--json", "as_json", is_flag=True, help="Print each message as one line of JSON.")
@click.pass_obj
def queue(
    settings: Settings,
    chat_id: str,
    remove: int | None,
    promote: int | None,
    order: str | None,
    as_json: bool,
) -> None:
    """Print or change the queue of a chat: number, model, first line of each message."""
    if sum(given is not None for given in (remove, promote, order)) > 1:
        raise click.UsageError("One change at a time: --remove, --next, --hold or --release.")
    run_async(_queue(settings, chat_id, remove, promote, order, as_json=as_json))


async def _queue(
    settings: Settings,
    named: str,
    remove: int | None,
    promote: int | None,
    order: str | None,
    *,
    as_json: bool,
) -> int:
    from palaver.wire.chats import BUSY
    from palaver.wire.events import QueueUpdate
    from palaver.wire.queue import Promote

    async with connected(settings) as client:
        chat = await find_chat(client, named)
        if remove is not None:
            shown = [(await client.delete_queued(chat.id, remove)).removed]
        elif promote is not None:
            shown = [*(await client.promote(chat.id, promote, Promote(chat.versions.turn))).queue]
        elif order == "hold":
            shown = [*(await client.hold_queue(chat.id)).queue]
        elif order == "release":
            shown = [*(await client.release_queue(chat.id)).queue]
        else:
            # There is no route that only reads it.
            update = await read_event(client, settings, chat.id, QueueUpdate)
            shown = [*update.queue] if update is not None else []
    # A promotion ends the turn, and in an idle chat nothing steers.
    runs = chat.status in BUSY and promote is None
    turn = chat.versions.turn if runs else None
    for message in shown:
        if message is not None:
            if as_json:
                output.write_json(message)
            else:
                output.write_line(row(message, turn))
    return exits.FINISHED


def row(message: QueuedMessage, turn: int | None) -> str:
    """Return a queued message as one line: number, model, first line.

    What steers `turn` has no model of its own: it says that.
    """
    first, _, rest = message.content.strip().partition("\n")
    steers = turn is not None and message.steer_turn == turn
    model = "(steers)" if steers else message.model or "-"
    return f"{message.id:>5}  {model:<12} {first}{' …' if rest else ''}"
