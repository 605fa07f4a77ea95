"""Log unexpected exceptions from a thread, since formatting a traceback reads source files."""

from __future__ import annotations

import asyncio
from typing import Any


async def log_bug(log: Any, event: str, error: BaseException, **fields: object) -> None:
    """Log an unexpected error with its traceback, without blocking the event loop."""
    await asyncio.to_thread(log.error, event, exc_info=error, **fields)
