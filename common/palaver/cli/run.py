"""`palaver run`: send one prompt, print the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from palaver.cli.attachments import attach_option
from palaver.cli.completion import complete_chats, complete_models
from palaver.cli.runtime import run_async, with_piped
from palaver.cli.settings import Settings
from palaver.cli.workspaces import mode_option, workspace_option

if TYPE_CHECKING:
    from palaver.wire.chats import Mode

EPILOG = """\b
Examples:
  palaver run "Why is the sky blue?"
  git diff | palaver run "Review this change" --model sonnet
  palaver run "And at night?" --chat ID
  palaver run "hello" --json | jq -r 'select(.type == "result").text'
  palaver run "A long job" --detach
  palaver run "What is wrong here?" --attach screenshot.png
  palaver run "Make the tests pass" --mode full-auto

\b
Exit codes:
  0  the turn finished            1  it could not be sent, or not be followed
  2  usage                        3  the turn ended in an error of the chat
  4  an answer is needed          5  the answer was cut off, filtered, or has no text
                                130  interrupted

\b
With --json each event of the chat is one line, as the WebSocket carries it. The last line is
  {"type": "result", "chat_id", "status", "finish", "text", "usage", "error", "asked"}
with the status finished, error, action_required, interrupted, held, gone, failed, or running
(detached). The finish is stop for a whole answer, length or content_filter for one that was cut
off, and unknown where the provider did not say. For action_required, asked has each call that waits
for a client: call_id, tool, arguments, question, options, deadline; palaver answer answers it.
"""


@click.command(epilog=EPILOG)
@click.argument("prompt", required=False)
@click.option(
    "--model", "-m", metavar="M", shell_complete=complete_models, help="The model to answer."
)
@click.option(
    "--chat", "chat_id", metavar="ID", shell_complete=complete_chats, help="Continue this chat."
)
@attach_option()
@mode_option("What its tools may do: only read (the default), or everything without asking.")
@workspace_option(
    "The directory with its files. A new chat of a private daemon has the current one."
)
@click.option("--no-workspace", "without", is_flag=True, help="A new chat without any files.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print each event as a line, and a result line last."
)
@click.option("--detach", "-d", is_flag=True, help="Print the chat's id and exit; it continues.")
@click.pass_obj
def run(
    settings: Settings,
    prompt: str | None,
    model: str | None,
    chat_id: str | None,
    attached: tuple[str, ...],
    mode: Mode | None,
    workspace: str | None,
    without: bool,
    as_json: bool,
    detach: bool,
) -> None:
    """Send a prompt and print the answer as it is written.

    Piped input is appended to PROMPT. The first ^c stops the answer and waits for its saved part, a
    second one exits at once.
    """
    content = with_piped(prompt)
    if not content:
        raise click.UsageError("There is nothing to ask: give a PROMPT, or pipe one in.")
    if workspace is not None and without:
        raise click.UsageError("--workspace and --no-workspace: give one of them.")
    if without and chat_id is not None:
        raise click.UsageError("--no-workspace is for a new chat.")
    # Imported here, so that `palaver --help` does not wait for the client.
    from palaver.cli.run_turn import Asked, ask

    run_async(
        ask(
            settings,
            Asked(content, model, chat_id, attached, mode, workspace, without, as_json, detach),
        )
    )
