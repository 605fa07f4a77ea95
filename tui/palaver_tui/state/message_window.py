"""The messages of a chat in memory: a window around those in view, and the newest. Pure.

A chat may have tens of thousands of messages. In memory are those around the view and, after a
gap, the newest ones, which the stream keeps up to date. So going to the end needs no fetch, and
memory is bounded however far the user scrolls.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from msgspec.structs import replace

from palaver.wire.messages import Message
from palaver_tui.state.chat import ChatView
from palaver_tui.state.reduce import with_messages

NEWEST = 100  # messages at the end that are never discarded: a page or two of scrolling back
AROUND = 150  # messages kept before and after those in view
SLACK = 100  # messages beyond these limits before any are discarded, in batches


def newest(view: ChatView) -> tuple[Message, ...]:
    """Return the messages after the gap; all if there is none."""
    if view.gap is None:
        return view.messages
    return view.messages[_after(view.messages, view.gap) :]


def has(view: ChatView, message_id: int) -> bool:
    """Return whether a message is in memory."""
    at = bisect_left([message.id for message in view.messages], message_id)
    return at < len(view.messages) and view.messages[at].id == message_id


def with_older(view: ChatView, page: Sequence[Message], more: bool) -> ChatView:
    """Return `view` with the page before its first message; `more`: there are still older ones."""
    return replace(with_messages(view, page), older=more)


def with_newer(view: ChatView, page: Sequence[Message], more: bool) -> ChatView:
    """Return `view` with the page at the start of its gap.

    The gap is closed if the page reaches the messages after it, or there are no `more`.
    """
    tail = newest(view)
    merged = with_messages(view, page)
    last = max((message.id for message in page), default=None)
    reached = not more or last is None or (bool(tail) and last >= tail[0].id)
    return replace(merged, gap=None if reached else last)


def around(view: ChatView, page: Sequence[Message], older: bool) -> ChatView:
    """Return `view` with `page` in place of all but the newest messages.

    `older`: there are messages before the page.
    """
    tail = newest(view)
    if not page:
        return view
    last = max(message.id for message in page)
    only = replace(view, messages=tail, gap=None)
    apart = bool(tail) and last < tail[0].id
    return replace(with_messages(only, page), gap=last if apart else None, older=older)


def trimmed(view: ChatView, first: int, last: int) -> ChatView:
    """Return `view` without messages far from those in view, which have ids `first` to `last`."""
    messages = view.messages
    if len(messages) <= NEWEST + 2 * AROUND + SLACK:
        return view
    low = max(0, bisect_left([message.id for message in messages], first) - AROUND)
    high = min(len(messages), _after(messages, last) + AROUND)
    tail_at = len(messages) - NEWEST
    if view.gap is not None:
        tail_at = max(tail_at, _after(messages, view.gap))
    if view.gap is not None and low >= _after(messages, view.gap):
        # The user reads after the gap: the messages before it are not needed any more.
        return replace(view, messages=messages[low:], gap=None, older=True)
    older = view.older or low > 0
    if high >= tail_at:
        return replace(view, messages=messages[low:], older=older)
    kept = messages[low:high]
    return replace(view, messages=kept + messages[tail_at:], gap=kept[-1].id, older=older)


def at_the_end(view: ChatView) -> ChatView:
    """Return `view` with only the newest messages and no gap, unless it has few anyway."""
    if view.gap is None and len(view.messages) <= NEWEST + SLACK:
        return view
    kept = newest(view)
    kept = kept[-NEWEST:] if len(kept) > NEWEST + SLACK else kept
    return replace(view, messages=kept, gap=None, older=True)


def _after(messages: Sequence[Message], message_id: int) -> int:
    return bisect_right([message.id for message in messages], message_id)
