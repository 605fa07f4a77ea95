"""The entry point of the client, which `palaver` calls as an interface."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from palaver.clock import SystemClock
from palaver.interface import Choices, Left
from palaver.workspaces import NO_WORKSPACE, WantedWorkspace
from palaver_tui.app import PalaverApp
from palaver_tui.platform.hangup import watch_terminal
from palaver_tui.session.session import Connect
from palaver_tui.session.setup import SetupTools
from palaver_tui.session.watched_files import file_stats, watched_files
from palaver_tui.storage.error_reports import say_ended
from palaver_tui.textual_patches.application import unwrapped
from palaver_tui.transcript.look import Look
from palaver_tui.widgets.strips import depth_of, draws_pictures

if TYPE_CHECKING:
    from palaver.client import Endpoint
    from palaver.remote.servers import Server
    from palaver.setup.local import LocalServer


def open_terminal(
    connect: Connect,
    *,
    data_dir: Path,
    chat_id: str | None = None,
    restart: Connect | None = None,
    config: Path | None = None,
    hint: str = "",
    server: Server | None = None,
    choices: Choices | None = None,
    notice: str = "",
    workspace: WantedWorkspace = NO_WORKSPACE,
) -> Left:
    """Run the client until the user leaves; return the exit code, the chat, and the next server.

    `connect` returns the daemon's endpoint and starts a daemon if necessary; `restart` stops the
    running one first. If they fail, they raise `PalaverError` with a sentence, which the client
    shows. `config` is the configuration for a daemon that they start, None for the default path;
    `hint` is shown in an empty chat, `notice` at the start. `server` is the server that was named;
    `choices` returns the servers to choose from, None to offer no choice. `workspace` is the
    directory for new chats.
    """
    files = tuple(watched_files(data_dir, config, server))
    tools = SetupTools(os.environ, restart, _find_servers, partial(file_stats, files))
    motion = "PALAVER_REDUCED_MOTION" not in os.environ
    console = Console()
    look = Look(pictures=draws_pictures(console))
    app = PalaverApp(
        partial(_connected, connect),
        data_dir=data_dir,
        chat_id=chat_id,
        motion=motion,
        look=look,
        depth=depth_of(console),
        signals=True,
        contains_errors=True,
        tools=tools,
        hint=hint,
        server=server,
        choices=choices,
        notice=notice,
        workspace=workspace,
    )
    ended = watch_terminal(0, app.hung_up)
    try:
        result = app.run()
    except Exception as error:  # noqa: BLE001 - users see no tracebacks
        app.context.errors.log.note(unwrapped(error))
        app.context.errors.log.write(app.clock.now())
        result = 1
    finally:
        ended()
    if app.context.errors.log and (result == 1 or app.return_code == 1):
        say_ended(app.context.errors.log.path)
    code = app.return_code or (result if isinstance(result, int) else 0)
    return Left(code, app.session.view.chat_id, app.context.exit_state.server)


async def _connected(connect: Connect) -> Endpoint:
    """Connect, after importing the client in a thread: keys are handled meanwhile."""
    await asyncio.to_thread(_import_client)
    return await connect()


def _import_client() -> None:
    from palaver.client import Client  # noqa: F401 - aiohttp, which takes longer than a paint


async def _find_servers() -> list[LocalServer]:
    from palaver.setup.servers import find_servers

    return await find_servers(SystemClock())
