"""Changing to another daemon: the client is left, and opened again for that daemon."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from palaver.client import PalaverError
from palaver.interface import Choice, Choices
from palaver.paths import client_config_path
from palaver_tui.context.context import Context, Run
from palaver_tui.widgets.dialogs.servers import server_picker


def choose_server(context: Context) -> None:
    """Open the dialog to choose a server. Drafts and unsent messages for this one stay on disk."""
    if context.servers is not None:
        context.app.run_worker(_choose(context, context.servers))


async def _choose(context: Context, choices: Choices) -> None:
    place = context.place
    try:
        servers = await asyncio.to_thread(choices)
    except PalaverError as error:
        context.notices.say(str(error), "error")
        return

    def chosen(number: str) -> None:
        if not servers[int(number)].here:
            _leave_for(context, servers[int(number)])

    named_in = await asyncio.to_thread(client_config_path)
    if context.place != place:  # what is typed by now is not meant for the dialog
        context.notices.say("The servers can be shown now: choose a server once more.")
        return
    context.dialogs.open(server_picker(servers, str(named_in)), chosen)


def _leave_for(context: Context, server: Choice) -> None:
    if leaving_is_said(context, f"Choose {server.name} again to go."):
        context.exit_state.server = server
        context.app.exit(0)


def leaving_is_said(context: Context, how: str) -> bool:
    """Warn once of unsent messages, with `how` to leave. Returns False if it warned now."""
    unsent = context.session.outbox.unsent
    if not unsent or context.exit_state.unsent_was_said:
        return True
    context.exit_state.unsent_was_said = True
    words = "1 message is" if unsent == 1 else f"{unsent} messages are"
    context.notices.say(
        f"{words} not sent yet. It is kept and goes out when you are back. {how}", "warning"
    )
    return False


FUNCTIONS: Final[Mapping[str, Run]] = {"server.choose": choose_server}
