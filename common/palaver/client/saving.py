"""Save a long response as a file."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from palaver.client.errors import PalaverError


async def save(pieces: AsyncGenerator[bytes], path: Path) -> None:
    """Write `pieces` to a file that only its user can read; one that is there is replaced.

    It appears when it is whole; an incomplete one is removed. Of a link, the file that it leads to
    is replaced. What is no regular file, such as a pipe, is written to.

    Raises:
        PalaverError: it cannot be written, or the response failed.
    """
    async with aclosing(pieces):
        try:
            file, target = await asyncio.to_thread(_opened, path)
            try:
                with file:
                    async for piece in pieces:
                        await asyncio.to_thread(file.write, piece)
                if target is not None:
                    await asyncio.to_thread(Path(file.name).replace, target)
            finally:
                if target is not None:
                    await asyncio.to_thread(Path(file.name).unlink, missing_ok=True)
        except OSError as error:
            raise PalaverError(f"{path} cannot be written: {error.strerror}.") from error


def _opened(path: Path) -> tuple[IO[bytes], Path | None]:
    """Return a file to write to, and the path that it must be given at the end, if any."""
    if path.exists() and not path.is_file():
        return path.open("wb"), None
    # /dev/stdout is a link, too: it must not become a file.
    target = Path(os.path.realpath(path))
    unfinished = NamedTemporaryFile(  # noqa: SIM115 - `save` closes it
        dir=target.parent, prefix=".palaver-", suffix=".part", delete=False
    )
    return unfinished, target
