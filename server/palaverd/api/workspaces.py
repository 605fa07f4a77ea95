"""Where a chat's files are, as a request names it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from palaver.wire.chats import Workspace
from palaverd.api.problems import BadRequest


async def found_workspace(asked: Workspace | None, host: str) -> Workspace | None:
    """Return the workspace with its host; one on this machine must be a directory.

    Raises:
        BadRequest: the path is not absolute, or nothing is there.
    """
    if asked is None:
        return None
    path = Path(asked.path)
    if not path.is_absolute():
        raise BadRequest(
            f"A workspace is an absolute path, and {asked.path} is not.", field="workspace.path"
        )
    if asked.host in (None, host) and not await asyncio.to_thread(path.is_dir):
        raise BadRequest(f"There is no directory {path} on {host}.", field="workspace.path")
    return Workspace(path=str(path), host=asked.host or host)
