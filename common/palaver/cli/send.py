"""`palaver send` and `palaver stop`: send a message or interrupt, without waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

from palaver.cli import exits, output, words
from palaver.cli.attachments import attach_option, send_files
from palaver.cli.completion import complete_models
from palaver.cli.features import require
from palaver.cli.ids import chat_argument, find_chat
from palaver.cli.runtime import connected, run_async, with_piped
from palaver.cli.settings import Settings
from palaver.cli.workspaces import mode_option, set_up, workspace_option

if TYPE_CHECKING:
    from palaver.wire.chats import Mode


@click.command(
    epilog="""\b
Examples:
  palaver send ID "And then update the changelog"
  palaver send ID "No, the other file" --interrupt
  palaver send ID "Only the tests, please" --steer
  palaver send ID "Now make these changes" --mode full-auto
  palaver send ID "What is wrong here?" --attach screenshot.png
  cat notes.md | palaver send ID
"""
)
@chat_argument
@click.argument("message", required=False)
@click.option(
    "--model",
    "-m",
    metavar="M",
    shell_complete=complete_models,
    help="The model to answer it.",
)
@click.option("--interrupt", is_flag=True, help="Stop the turn; this is answered next.")
@attach_option()
@click.option("--steer", is_flag=True, help="The model gets this within the turn, unstopped.")
@mode_option("What the chat's tools may do from now on.")
@workspace_option("The directory that the chat works in from now on.")
@click.option("--json", "as_json", is_flag=True, help="Print the daemon's answer.")
@click.pass_obj
def send(
    settings: Settings,
    chat_id: str,
    message: str | None,
    model: str | None,
    interrupt: bool,
    attached: tuple[str, ...],
    steer: bool,
    mode: Mode | None,
    workspace: str | None,
    as_json: bool,
) -> None:
    """Send a message and exit. A busy chat queues it.

    Piped input is appended to MESSAGE.
    """
    content = with_piped(message)
    if not content:
        raise click.UsageError("There is nothing to send: give a MESSAGE, or pipe one in.")
    if steer and (interrupt or model):
        other = "--interrupt" if interrupt else "--model"
        raise click.UsageError(f"--steer cannot be used with {other}.")
    sending = Sending(content, model, interrupt, steer, attached, mode, workspace)
    run_async(_send(settings, chat_id, sending, as_json=as_json))


class Sending(NamedTuple):
    """The arguments of `palaver send`."""

    content: str
    model: str | None
    interrupt: bool
    steer: bool
    attached: tuple[str, ...]
    mode: Mode | None
    workspace: str | None


async def _send(settings: Settings, chat_id: str, sending: Sending, *, as_json: bool) -> int:
    from palaver.wire.chats import SendMessage
    from palaver.wire.protocol import STEERING

    interrupt, steer = sending.interrupt, sending.steer
    async with connected(settings) as client:
        if steer:
            await require(client, STEERING, "has no messages that steer")
        chat = await find_chat(client, chat_id)
        await set_up(client, settings, chat.id, sending.mode, sending.workspace)
        files = await send_files(client, sending.attached)
        sent = await client.send(
            chat.id,
            SendMessage(
                sending.content,
                when_busy="interrupt" if interrupt else "steer" if steer else "queue",
                model=sending.model,
                turn_version=chat.versions.turn if interrupt or steer else None,
                position=0 if interrupt else None,
                files=files,
            ),
        )
    if as_json:
        output.write_json(sent)
    elif sent.queued is not None and sent.queued.steer_turn is not None:
        words.notice("The model gets it after the tools that are running.")
    elif sent.queued is not None:
        words.notice(f"Queued at place {sent.queued.position + 1}.")
    else:
        words.notice("Sent.")
    return exits.FINISHED


@click.command(
    epilog="""\b
Examples:
  palaver stop ID
  palaver stop ID --release
"""
)
@chat_argument
@click.option("--hold/--release", default=True, help="Hold the queue (the default), or release it.")
@click.pass_obj
def stop(settings: Settings, chat_id: str, hold: bool) -> None:
    """Stop the current turn of a chat. The answer so far is kept."""
    run_async(_stop(settings, chat_id, hold=hold))


async def _stop(settings: Settings, chat_id: str, *, hold: bool) -> int:
    from palaver.wire.chats import Interrupt

    async with connected(settings) as client:
        chat = await find_chat(client, chat_id)
        done = await client.interrupt(chat.id, Interrupt(chat.versions.turn, hold_queue=hold))
    if done.changed:
        waiting = done.chat.queue_length if done.chat.queue == "held" else 0
        words.notice(f"Stopping. {waiting} queued and held." if waiting else "Stopping.")
    else:
        words.notice(done.reason or "There was nothing to stop.")
    return exits.FINISHED
