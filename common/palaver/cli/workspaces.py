"""The options of workspace and mode, which several commands have."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from palaver.cli.features import require
from palaver.cli.settings import Settings

if TYPE_CHECKING:
    from palaver.client import Client
    from palaver.wire.chats import Chat, Mode
    from palaver.workspaces import WantedWorkspace

F = TypeVar("F", bound=Callable[..., Any])
MODES: tuple[Mode, ...] = ("read-only", "full-auto")


def workspace_option(about: str) -> Callable[[F], F]:
    """Return the option that names a workspace; `about` is what it is for."""
    return click.option("--workspace", "-w", metavar="DIR", help=about)


def mode_option(about: str) -> Callable[[F], F]:
    """Return the option that chooses a mode; `about` is what it is for."""
    return click.option("--mode", type=click.Choice(MODES), help=about)


def wanted_workspace(
    settings: Settings, named: str | None = None, *, without: bool = False
) -> WantedWorkspace:
    """Return the directory for new chats: the named one, else the current one of this machine.

    `named` and `without` are options of a command, which come before those of `palaver`.

    Raises:
        PalaverError: the named one is relative, on another machine or in a removed directory; or
            there is no such server.
    """
    from palaver.workspaces import WantedWorkspace

    if named is None and not without:
        named, without = settings.workspace, settings.without_workspace
    if named is not None:
        return WantedWorkspace(_absolute(settings, named), named=True)
    if without or settings.remote:
        return WantedWorkspace()
    try:
        return WantedWorkspace(os.path.realpath("."))
    except FileNotFoundError:  # it was removed
        return WantedWorkspace()


def _absolute(settings: Settings, named: str) -> str:
    from palaver.client.errors import PalaverError
    from palaver.paths import NowhereError, from_root

    if settings.remote:
        if not named.startswith("/"):
            raise PalaverError(
                f"--workspace is {named}, which is on the daemon's machine: give a path from the"
                " root."
            )
        return named
    try:
        return os.path.realpath(from_root(named, "--workspace"))
    except NowhereError as error:
        raise PalaverError(str(error)) from None


async def set_up(
    client: Client, settings: Settings, chat_id: str, mode: Mode | None, named: str | None
) -> Chat | None:
    """Change mode and workspace of a chat as the options say; return it if anything was asked for.

    Raises:
        PalaverError: the daemon refused it, or is too old for it.
    """
    from palaver.wire.chats import ChosenWorkspace
    from palaver.wire.queue import ChangeChat

    if mode is None and named is None:
        return None
    if mode is not None:
        await check_modes(client)
    workspace = None if named is None else ChosenWorkspace(path=_absolute(settings, named))
    return await client.change_chat(chat_id, ChangeChat(mode=mode, workspace=workspace))


async def check_modes(client: Client) -> None:
    """Check that the daemon knows modes. Raises `PalaverError` if it is too old for that."""
    from palaver.wire.protocol import MODES as FEATURE

    await require(client, FEATURE, "knows no modes")
