"""Check the workspace that a request names."""

from __future__ import annotations

import asyncio
from pathlib import Path

from palaver.wire.chats import Workspace
from palaverd.store.access import LOCAL_OWNER
from palaverd.usecases.errors import InvalidRequest, NotAllowed


async def find_workspace(asked: Workspace | None, host: str, owner: str) -> Workspace | None:
    """Return the workspace with its host; one on this machine must be a directory.

    Raises:
        InvalidRequest: the path is not absolute, or there is no such directory.
        NotAllowed: this owner may not use directories.
    """
    if asked is None:
        return None
    if owner != LOCAL_OWNER:  # else they could probe the file system of another user's machine
        raise NotAllowed(
            "The directories of this machine are its own user's; begin the chat without one.",
            "workspace",
        )
    path = Path(asked.path)
    if not path.is_absolute():
        raise InvalidRequest(
            f"A workspace is an absolute path, and {asked.path} is not.", "workspace.path"
        )
    if asked.host in (None, host) and not await asyncio.to_thread(path.is_dir):
        raise InvalidRequest(f"There is no directory {path} on {host}.", "workspace.path")
    return Workspace(path=str(path), host=asked.host or host)
