"""Actions of the queue."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from palaver.wire.messages import QueuedMessage
from palaver_tui.actions.chats import show_again
from palaver_tui.actions.edits import begin_edit
from palaver_tui.actions.wording import quoted
from palaver_tui.context.context import Context, Run
from palaver_tui.context.undo import Failed, TextAside
from palaver_tui.keymap.actions import key_of
from palaver_tui.state.outgoing import landing


def _selected(context: Context) -> QueuedMessage | None:
    """Return the selected message; None with a notice if it has left the queue or is not in it yet.

    None without a notice if it is being removed.
    """
    panel = context.screen.queue
    selected = panel.selected
    if selected is not None and selected.id in panel.leaving:
        return None
    if panel.is_early:
        context.notices.say("Nothing was done: that message is still being sent.", "warning")
        return None
    # The panel has the state of the last paint.
    if selected is None or all(one.id != selected.id for one in context.session.view.queue):
        context.notices.say(
            "Nothing was done: that message has left the queue."
            f" {key_of('queue.up')} {key_of('queue.down')} select another.",
            "warning",
        )
        return None
    return selected


def go_to_queue(context: Context) -> None:
    """Focus the queue; if it has the focus, the composer."""
    screen = context.screen
    (screen.composer if screen.queue.has_focus else screen.queue).focus()


def send(context: Context) -> None:
    """Answer the selected message next, and interrupt the current turn for it."""
    if (queued := _selected(context)) is not None:
        context.session.requests.promote(context.session.view, queued)


def edit(context: Context) -> None:
    """Open the selected message in the composer."""
    if (queued := _selected(context)) is not None:
        begin_edit(context, queued)


def move(context: Context, steps: int) -> None:
    """Move the selected message down by `steps` places."""
    if (queued := _selected(context)) is not None:
        context.session.requests.move(context.session.view, queued, steps)


def hold(context: Context) -> None:
    """Hold the queue, or release it."""
    view, requests = context.session.view, context.session.requests
    held = view.held or view.status == "paused"
    (requests.release if held else requests.hold)(view)


def remove(context: Context) -> None:
    """Remove the selected message from the queue; undo puts it back."""
    if (queued := _selected(context)) is None:
        return
    ids = [other.id for other in context.session.view.queue]
    before = set(ids[: ids.index(queued.id)])
    leaving = context.screen.queue.leaving
    leaving.add(queued.id)

    def done(chat_id: str) -> None:
        aside = TextAside(queued.created_at, queued.content)
        context.aside.add(chat_id, aside)
        words = f"Removed {quoted(queued.content)}. {key_of('app.undo')} puts it back."
        undo = partial(_put_back, context, chat_id, queued, before, aside)
        context.undo.offer(undo, words)

    def failed() -> None:
        leaving.discard(queued.id)

    context.session.requests.remove(context.session.view, queued, done, failed)


def _put_back(
    context: Context,
    chat_id: str,
    queued: QueuedMessage,
    before: set[int],
    aside: TextAside,
    _failed: Failed,
) -> None:
    """Undo a removal: queue the message at its old place, or put it into the draft of an idle chat.

    `before` are the ids of the messages before it. An idle chat would answer it immediately, even
    if its queue is held. A message that cannot be queued is put into the draft, too: that undoes
    the removal.
    """
    session = context.session
    context.aside.remove(chat_id, aside)
    name = show_again(context, chat_id)

    def keep() -> None:
        context.drafts.keep_for(name, queued.content)

    if name != chat_id:
        keep()  # never into the queue of another chat
    elif landing(session.view) == "queue":
        place = sum(other.id in before for other in session.view.queue)
        if not session.view.caught_up:
            place = len(before)  # the chat was just opened: its queue is not known yet
        steers = session.view.steers(queued)
        session.requests.requeue(name, queued, place, keep, steers=steers)
    else:
        keep()
        words = "No answer runs, and in the queue it would be sent at once"
        context.notices.say(f"{words}: {quoted(queued.content)} is in the composer.")


FUNCTIONS: Final[Mapping[str, Run]] = {
    "queue.focus": go_to_queue,
    "queue.hold": hold,
    "queue.up": lambda context: context.screen.queue.select(-1),
    "queue.down": lambda context: context.screen.queue.select(1),
    "queue.send": send,
    "queue.edit": edit,
    "queue.remove": remove,
    "queue.raise": lambda context: move(context, -1),
    "queue.lower": lambda context: move(context, 1),
}
