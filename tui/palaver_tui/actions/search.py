"""Actions of the search in the conversation, also in messages that are not fetched yet."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from palaver_tui.context.context import Context, Run
from palaver_tui.keymap.actions import key_of


def begin_search(context: Context) -> None:
    """Open the search bar."""
    context.screen.search_bar.open()


def find(context: Context, words: str) -> None:
    """Search for `words`."""
    context.session.message_pages.end_search()
    context.screen.transcript.search.begin(words)
    context.changed()


def find_older(context: Context) -> None:
    """Go to the match above; if none is here, search older messages."""
    search, pages = context.screen.transcript.search, context.session.message_pages
    if not search.active or pages.seeking or search.step(-1):
        return
    if not search.done:
        search.when_done(partial(find_older, context))
        return
    if not context.session.view.older:
        _none_more(context, "before")
        return
    pages.seek_older(search.holds, partial(_found, context, last=True))


def find_newer(context: Context) -> None:
    """Go to the match below."""
    search, pages = context.screen.transcript.search, context.session.message_pages
    if not search.active or pages.seeking:
        return
    gap, current = context.session.view.gap, search.current
    if gap is not None and (current is None or search.is_last_before(gap)):
        # The next match may be in the gap, before the newest messages.
        pages.seek_newer(search.holds, partial(_found_newer, context))
        return
    if search.step(1):
        return
    if not search.done:
        search.when_done(partial(find_newer, context))
        return
    _none_more(context, "after")


def _found_newer(context: Context, read: int, message_id: int | None) -> None:
    if message_id is None:
        if not context.screen.transcript.search.step(1):
            _none_more(context, "after", read)
        context.changed()
        return
    _found(context, read, message_id, last=False)


def _found(context: Context, read: int, message_id: int | None, *, last: bool) -> None:
    transcript = context.screen.transcript
    if message_id is None:
        _none_more(context, "before" if last else "after", read)
    else:
        transcript.viewport.stay()
        context.paint()  # the messages around the match were fetched and are not painted yet
        if not transcript.search.show_in(message_id, last):
            # The message has no displayed match, such as words not next to each other: go on.
            (find_older if last else find_newer)(context)
    context.changed()


def _none_more(context: Context, where: str, read: int = 0) -> None:
    words = f"Nothing found {where} this"
    if read:
        words += f": {read} messages were searched"
    else:
        words += ", at the beginning" if where == "before" else ", at the end"
    context.notices.say(f"{words}.")


def end_search(context: Context) -> None:
    """End the search, and close the search bar."""
    context.session.message_pages.end_search()
    context.screen.transcript.search.end()
    context.screen.search_bar.close()
    context.screen.transcript.focus()


def search_words(context: Context) -> str:
    """Return the search bar's text: number of the shown match, number of matches, progress."""
    search, session = context.screen.transcript.search, context.session
    if session.message_pages.seeking:
        return "searching older messages …"
    if not search.active:
        return ""
    so_far = "" if search.done else " …"
    if not search.matches and so_far:
        return "searching …"
    if not search.matches:
        more = session.view.older or session.view.gap is not None
        return f"none here · {key_of('search.older')} searches older messages" if more else "none"
    index = search.index
    return f"{'–' if index is None else index + 1} of {len(search.matches)}{so_far}"


FUNCTIONS: Final[Mapping[str, Run]] = {
    "view.find": begin_search,
    "transcript.find": begin_search,
    "search.older": find_older,
    "search.newer": find_newer,
    "transcript.found_older": find_older,
    "transcript.found_newer": find_newer,
}
