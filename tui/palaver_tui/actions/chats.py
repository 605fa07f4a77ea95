"""Actions on a whole chat: create, rename, stop, archive, delete; and handling of its deletion."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from msgspec.structs import replace

from palaver.wire.chats import Chat
from palaver_tui.actions.wording import quoted, refused
from palaver_tui.context.context import Context, Run
from palaver_tui.context.undo import Failed
from palaver_tui.keymap.actions import key_of
from palaver_tui.widgets.dialogs.confirmation import ConfirmScreen
from palaver_tui.widgets.dialogs.title import RenameScreen


def begin(context: Context) -> None:
    """Show a new chat, and focus the composer."""
    context.session.new_chat()
    context.screen.close_list()
    context.screen.composer.focus()


def rename(context: Context) -> None:
    """Open the dialog to rename the current chat."""
    session, before = context.session, context.session.view.title

    def renamed(name: str, title: str) -> None:
        if title != before:
            session.requests.rename(session.views[name], title)

    context.dialogs.ask(RenameScreen(before), renamed)


def _is_known(context: Context, chat_id: str) -> bool:
    return chat_id in context.session.chats.chats or context.session.knows(chat_id)


def show_again(context: Context, chat_id: str) -> str:
    """Show the chat to restore something to, and return its name.

    If it is deleted, the current chat is used, with a notice.
    """
    session = context.session
    known = session.chats.chats.get(chat_id)
    if not _is_known(context, chat_id):
        context.notices.say("Its chat is deleted: what comes back is here.", "warning")
        return session.current
    if chat_id != session.current:
        session.open(chat_id)
        if known is not None:  # the cached view may be older than the list
            session.views[chat_id] = replace(session.view, status=known.status)
    return chat_id


# --- archiving ----------------------------------------------------------------------------


def archive(context: Context) -> None:
    """Archive the current chat."""
    if not refused(context, "archive", context.session.view):
        _file(context, archived=True)


def unarchive(context: Context) -> None:
    """Unarchive the current chat."""
    _file(context, archived=False)


def _file(context: Context, *, archived: bool) -> None:
    chat_id, filing = context.session.view.chat_id, context.filing
    if chat_id is None or chat_id in filing:
        return
    filing.add(chat_id)
    pane, place = context.screen.chat_list, context.place
    beside = pane.beside(chat_id)

    def done(chat: Chat) -> None:
        filing.discard(chat_id)
        if context.place == place and (archived or pane.has_focus):
            _leave_chat(context, beside)
        _say_filed(context, chat, archived=archived)

    def failed() -> None:
        filing.discard(chat_id)

    context.session.requests.archive(chat_id, archived, done, failed)


def _say_filed(context: Context, chat: Chat, *, archived: bool) -> None:
    words = f"Archived {quoted(chat.title)}." if archived else f"{quoted(chat.title)} is back."
    back = "brings it back" if archived else "archives it again"
    words += f" {key_of('app.undo')} {back}."
    context.undo.offer(partial(_reverse, context, chat.id, archived), words)


def _reverse(context: Context, chat_id: str, archived: bool, failed: Failed) -> None:
    """Undo archiving or unarchiving a chat; if the user waited, one that is back is shown."""
    place = context.place

    def done(chat: Chat) -> None:
        if archived:
            if context.place == place:
                context.list_filter.archived = False
                context.session.open(chat_id)
            context.notices.say(f"{quoted(chat.title)} is back.")
        else:
            _say_filed(context, chat, archived=True)

    def missed() -> None:
        if _is_known(context, chat_id):  # else it is deleted, and would be in the way of others
            failed()

    context.session.requests.archive(chat_id, not archived, done, missed)


def _leave_chat(context: Context, beside: str | None) -> None:
    """Show another chat: `beside` from the list if that has the focus, else a new chat."""
    if context.screen.chat_list.has_focus and beside is not None:
        context.session.open(beside)
    else:
        context.session.new_chat()


# --- deleting -----------------------------------------------------------------------------


def delete(context: Context) -> None:
    """Delete the current chat after a confirmation."""
    view = context.session.view
    chat_id = view.chat_id
    if chat_id is None or refused(context, "delete", view):
        return
    goes = "All its messages go for good"
    if view.queue:
        goes += f", the {len(view.queue)} in its queue too"
    known = context.session.chats.chats.values()
    under = sum(chat.parent_id == chat_id for chat in known)
    if under:
        goes += f", and the {'chat' if under == 1 else f'{under} chats'} under it"
    lines = [quoted(view.title), f"{goes}."]
    if context.screen.composer.text.strip():
        lines.append("What you are writing is kept: it moves to a new chat.")

    def answered(_name: str, yes: bool) -> None:
        if yes:
            _delete(context, chat_id, view.title)

    screen = ConfirmScreen("Delete this chat?", lines, "Keep it", "Delete it for good")
    context.dialogs.ask(screen, answered)


def _delete(context: Context, chat_id: str, title: str) -> None:
    filing = context.filing
    if chat_id in filing:
        return
    filing.add(chat_id)

    def done() -> None:
        context.notices.say(f"Deleted {quoted(title)}.")
        context.session.drop(chat_id, title)
        filing.discard(chat_id)

    def failed() -> None:
        filing.discard(chat_id)

    context.session.requests.delete(chat_id, done, failed)


def after_deletion(context: Context, name: str, title: str, unsent: list[str]) -> str | None:
    """Move the draft and unsent messages of a deleted chat to a new chat, and show a notice.

    Returns the chat to show in its place if the list has the focus and nothing was moved.
    """
    shown = context.drafts.is_shown(name)
    written = context.drafts.move_to_new(name, unsent)
    which = quoted(title) if title or shown else "a chat that you were writing to"
    words = "" if name in context.filing else f"{which[:1].upper()}{which[1:]} was deleted."
    if written:
        words += " What you wrote to it is kept in a new chat."
    if words and (shown or written):
        context.notices.say(words.strip(), "warning")
    pane = context.screen.chat_list
    return pane.beside(name) if pane.has_focus and not written else None


FUNCTIONS: Final[Mapping[str, Run]] = {
    "chat.new": begin,
    "chat.rename": rename,
    "chat.stop": lambda context: context.session.requests.stop(context.session.view),
    "chat.archive": archive,
    "chat.unarchive": unarchive,
    "chat.delete": delete,
}
