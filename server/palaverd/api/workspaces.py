"""Where a chat's files are, as a request names it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from palaver.wire.chats import Workspace
from palaverd.api.problems import BadRequest
from palaverd.store.access import LOCAL_OWNER


async def found_workspace(asked: Workspace | None, host: str, owner: str) -> Workspace | None:
    """Return the workspace with its host; one on this machine must be a directory.

    Raises:
        BadRequest: the path is not absolute, nothing is there, or it is not for this owner.
    """
    if asked is None:
        return None
    if owner != LOCAL_OWNER:  # else they could look for what is on a machine that is not theirs
        raise BadRequest(
            "The directories of this machine are its own user's; begin the chat without one.",
            code="scope",
            status=403,
            field="workspace",
        )
    path = Path(asked.path)
    if not path.is_absolute():
        raise BadRequest(
            f"A workspace is an absolute path, and {asked.path} is not.", field="workspace.path"
        )
    if asked.host in (None, host) and not await asyncio.to_thread(path.is_dir):
        raise BadRequest(f"There is no directory {path} on {host}.", field="workspace.path")
    return Workspace(path=str(path), host=asked.host or host)
