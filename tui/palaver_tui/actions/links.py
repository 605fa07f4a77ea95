"""Opening a URL, with a notice of the URL and the result."""

from __future__ import annotations

from palaver_tui.context.context import Context
from palaver_tui.timing import ADDRESS_NOTICE_S


async def open_address(context: Context, url: str) -> None:
    """Open a URL with a program that has a window; if none can, copy it."""
    done = await context.opener.open(url)
    if done.program:
        context.notices.say(f"Handed to {done.program}: {url}", seconds=ADDRESS_NOTICE_S)
        return
    try:
        copied = (await context.clipboard.copy(url)).words("the address")
    except OSError as error:
        copied = f"Nor could it be copied: {error}."
    words = f"Not opened: {done.reason}. {copied}\n{url}"
    context.notices.say(words, "warning", seconds=ADDRESS_NOTICE_S)
