"""The list of chats, reduced from the events of `watch`. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from palaver.wire.chats import Chat
from palaver.wire.events import (
    ChatCreated,
    ChatDeleted,
    ChatUpdated,
    ConfigChanged,
    ListError,
    ListSnapshot,
    WatchEvent,
)
from palaver.wire.search import Hit
from palaver_tui.state.activity import list_status


class Pages(msgspec.Struct, frozen=True):
    """How far the archived chats were fetched; `loaded` is False before the first page."""

    next_cursor: str | None = None
    loaded: bool = False


class ChatList(msgspec.Struct, frozen=True):
    """All known chats by id, archived or not. `loaded` is False until the snapshot.

    The snapshot has the newest chats that are not archived. `next_cursor` is for the next page of
    these, `archive` for pages of archived ones.
    """

    chats: dict[str, Chat]
    next_cursor: str | None = None
    loaded: bool = False
    archive: Pages = Pages()

    def is_archived(self, chat_id: str | None) -> bool:
        """Return whether a chat is archived; False if it is not known."""
        known = self.chats.get(chat_id) if chat_id is not None else None
        return known is not None and known.archived

    def has_archived(self) -> bool:
        """Return whether any known chat is archived."""
        return any(chat.archived for chat in self.chats.values())


EMPTY = ChatList({})


class Row(msgspec.Struct, frozen=True):
    """A row of the list; `depth` is 1 for a child under its parent, else 0.

    `hit` is what was found in its messages, if that is why it is listed.
    """

    chat: Chat
    depth: int = 0
    hit: Hit | None = None


def reduce_list(chats: ChatList, event: WatchEvent) -> ChatList:
    """Return `chats` after `event`."""
    match event:
        case ListSnapshot():
            # Chats older than the snapshot, which were fetched by page, stay. Archived ones may
            # have changed, and a snapshot does not contain them: they are fetched again.
            fresh = {chat.id: chat for chat in event.chats}
            # Pinned ones are in every snapshot, however old.
            oldest = min(
                (chat.updated_at for chat in event.chats if chat.pin_order is None), default=None
            )
            if event.next_cursor is not None and oldest is not None:
                older = {
                    key: chat
                    for key, chat in chats.chats.items()
                    if chat.updated_at < oldest and not chat.archived
                }
                fresh = older | fresh
            return ChatList(fresh, event.next_cursor, loaded=True)
        case ChatCreated(chat=chat) | ChatUpdated(chat=chat):
            known = chats.chats.get(chat.id)
            if known is not None and known.versions.snapshot > chat.versions.snapshot:
                return chats
            return replace(chats, chats=chats.chats | {chat.id: chat})
        case ChatDeleted(chat_id=chat_id):
            return replace(chats, chats={k: v for k, v in chats.chats.items() if k != chat_id})
        case ConfigChanged() | ListError():
            return chats


def with_page(
    chats: ChatList, page: Iterable[Chat], next_cursor: str | None, *, archived: bool = False
) -> ChatList:
    """Return `chats` with a page of older ones merged in; a chat's newer snapshot version stays.

    `archived`: it is a page of archived chats.
    """
    known = chats.chats
    fresh = {
        chat.id: chat
        for chat in page
        if chat.id not in known or known[chat.id].versions.snapshot <= chat.versions.snapshot
    }
    merged = known | fresh
    if archived:
        return replace(chats, chats=merged, archive=Pages(next_cursor, loaded=True))
    return replace(chats, chats=merged, next_cursor=next_cursor)


def _place(chat: Chat) -> tuple[bool, int, float, str]:
    """Return the key by which chats are ordered, as the daemon orders them."""
    if chat.pin_order is not None:
        return (False, chat.pin_order, 0.0, chat.id)
    return (True, 0, -chat.updated_at.timestamp(), chat.id)


def pin_place(chats: ChatList, chat_id: str, steps: int) -> int | None:
    """Return the place of a pinned chat moved down by `steps`; None if it is not pinned.

    Places count from 0 among the pinned chats, archived or not like the chat.
    """
    chat = chats.chats.get(chat_id)
    if chat is None or chat.pin_order is None:
        return None
    same = [
        one
        for one in chats.chats.values()
        if one.pin_order is not None and one.archived is chat.archived
    ]
    order = sorted(same, key=_place)
    return max(0, min(len(order) - 1, order.index(chat) + steps))


def is_about_chat(word: str) -> bool:
    """Return whether a word of the filter is about the chat, not one of its title."""
    name, colon, _ = word.casefold().partition(":")
    return bool(colon) and name in {"label", "status"}


def fits(chat: Chat, word: str) -> bool:
    """Return whether a chat's title contains `word`, or a word about it begins so.

    `status:run` matches a prefix of its status, as the daemon and as the list call it; `label:team`
    and `label:team=do` that of a label.
    """
    if not is_about_chat(word):
        return word in chat.title.casefold()
    name, _, value = word.partition(":")
    if name == "label":
        return any(f"{one}={of}".casefold().startswith(value) for one, of in chat.labels.items())
    sign = list_status(chat, "")
    words = (chat.status, sign[1] if sign is not None else "")
    return any(one.startswith(value) for one in words if one)


def rows(chats: ChatList, filter_text: str = "", *, archived: bool = False) -> list[Row]:
    """Return the list's rows: pinned first, then by last update, children under their parents.

    `archived`: return the archived chats instead of the others.
    """
    wanted = filter_text.casefold().split()
    shown = [
        chat
        for chat in chats.chats.values()
        if chat.archived is archived and all(fits(chat, word) for word in wanted)
    ]
    shown.sort(key=_place)
    ids = {chat.id for chat in shown}
    children: dict[str, list[Chat]] = {}
    for chat in shown:
        if chat.parent_id in ids and chat.parent_id is not None:
            children.setdefault(chat.parent_id, []).append(chat)
    result: list[Row] = []
    for chat in shown:
        if chat.parent_id not in ids:
            result.append(Row(chat))
            result += [Row(child, 1) for child in children.get(chat.id, [])]
    return result
