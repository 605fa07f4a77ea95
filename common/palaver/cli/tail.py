"""`palaver tail`: follow a chat."""

from __future__ import annotations

import click

from palaver.cli.ids import chat_argument
from palaver.cli.runtime import run_async
from palaver.cli.settings import Settings


@click.command(
    epilog="""\b
Examples:
  palaver tail ID
  palaver tail ID --messages 0 --until-idle
  palaver tail ID --json | jq -c 'select(.type == "retry")'
"""
)
@chat_argument
@click.option(
    "--messages",
    "-n",
    type=click.IntRange(min=0),
    default=10,
    help="How many earlier ones (10).",
)
@click.option("--until-idle", is_flag=True, help="Exit when the chat is idle.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print each event as one line, from the newest page on."
)
@click.pass_obj
def tail(settings: Settings, chat_id: str, messages: int, until_idle: bool, as_json: bool) -> None:
    """Show the end of a chat and follow it, word by word, until ^c."""
    from palaver.cli.tail_text import follow

    run_async(follow(settings, chat_id, messages, until_idle=until_idle, as_json=as_json))
