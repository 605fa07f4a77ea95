"""Opening addresses, and saying where they lead and whether anything took them."""

from __future__ import annotations

from palaver_tui.context.context import Context
from palaver_tui.timing import ADDRESS_NOTICE_S


async def open_address(context: Context, url: str) -> None:
    """Hand an address to a program with a window, else to the clipboard."""
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
