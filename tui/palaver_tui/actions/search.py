"""Actions of the search in the conversation."""

from __future__ import annotations

from palaver_tui.actions.base import Base
from palaver_tui.keymap.actions import key_of
from palaver_tui.widgets.search_bar import SearchBar
from palaver_tui.widgets.transcript.widget import Transcript


class Finding(Base):
    """Finds words, also in messages that are not here yet."""

    @property
    def _bar(self) -> SearchBar:
        return self.main.query_one(SearchBar)

    def do_view_find(self) -> None:
        """Type what to find."""
        self._bar.open()

    do_transcript_find = do_view_find

    def on_search_bar_typed(self, message: SearchBar.Typed) -> None:
        """Find what was typed."""
        self.session.message_pages.end_search()
        self._transcript.searching.begin(message.text)
        self._changed()

    @property
    def _transcript(self) -> Transcript:
        return self.main.query_one(Transcript)

    def do_search_older(self) -> None:
        """Go to the match above; without one here, look in older messages."""
        searching = self._transcript.searching
        if not searching.active or self.session.message_pages.seeking or searching.step(-1):
            return
        if not searching.done:
            searching.when_done(self.do_search_older)
            return
        if not self.session.view.older:
            self._none_more("before")
            return
        self.session.message_pages.seek_older(searching.holds, self._found_older)

    def do_search_newer(self) -> None:
        """Go to the match below."""
        searching = self._transcript.searching
        if not searching.active or self.session.message_pages.seeking:
            return
        gap, current = self.session.view.gap, searching.current
        if gap is not None and (current is None or searching.is_last_before(gap)):
            # The next one may be in the gap, before those at the end.
            self.session.message_pages.seek_newer(searching.holds, self._found_newer)
            return
        if searching.step(1):
            return
        if not searching.done:
            searching.when_done(self.do_search_newer)
            return
        self._none_more("after")

    do_transcript_found_older = do_search_older
    do_transcript_found_newer = do_search_newer

    def _found_older(self, read: int, message_id: int | None) -> None:
        self._found(read, message_id, last=True)

    def _found_newer(self, read: int, message_id: int | None) -> None:
        if message_id is None:
            if not self._transcript.searching.step(1):
                self._none_more("after", read)
            self._changed()
            return
        self._found(read, message_id, last=False)

    def _found(self, read: int, message_id: int | None, *, last: bool) -> None:
        if message_id is None:
            self._none_more("before" if last else "after", read)
        else:
            self._transcript.stay()
            self.paint()  # the messages around it are in the view, not yet on the screen
            if not self._transcript.searching.show_in(message_id, last):
                # It has the words, but not next to each other: go on from there.
                (self.do_search_older if last else self.do_search_newer)()
        self._changed()

    def _none_more(self, where: str, read: int = 0) -> None:
        words = f"Nothing found {where} this"
        if read:
            words += f": {read} messages were searched"
        else:
            words += ", at the beginning" if where == "before" else ", at the end"
        self.say(f"{words}.")

    def end_search(self) -> None:
        """Search for nothing any more."""
        self.session.message_pages.end_search()
        self._transcript.searching.end()
        self._bar.close()
        self._transcript.focus()

    def search_words(self) -> str:
        """Return how many were found, and which of them is shown."""
        searching = self._transcript.searching
        if self.session.message_pages.seeking:
            return "searching older messages …"
        if not searching.active:
            return ""
        so_far = "" if searching.done else " …"
        if not searching.matches and so_far:
            return "searching …"
        if not searching.matches:
            more = self.session.view.older or self.session.view.gap is not None
            return (
                f"none here · {key_of('search.older')} searches older messages" if more else "none"
            )
        index = searching.index
        return f"{'–' if index is None else index + 1} of {len(searching.matches)}{so_far}"
