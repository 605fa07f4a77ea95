"""Opening addresses, and saying where they lead and whether anything took them."""

from __future__ import annotations

from palaver_tui.actions.selection import Selecting
from palaver_tui.platform.opener import Opener
from palaver_tui.timing import ADDRESS_NOTICE_S


class Opening(Selecting):
    """Hands addresses to a program with a window, else to the clipboard."""

    _opener: Opener

    def open_url(self, url: str, *, new_tab: bool = True) -> None:
        """Open an address: our own, and what the library would give to a browser by itself."""
        self.run_worker(self._open(url))

    async def _open(self, url: str) -> None:
        done = await self._opener.open(url)
        if done.program:
            self.say(f"Handed to {done.program}: {url}", seconds=ADDRESS_NOTICE_S)
            return
        try:
            copied = (await self._copier.copy(url)).words("the address")
        except OSError as error:
            copied = f"Nor could it be copied: {error}."
        words = f"Not opened: {done.reason}. {copied}\n{url}"
        self.say(words, "warning", seconds=ADDRESS_NOTICE_S)
