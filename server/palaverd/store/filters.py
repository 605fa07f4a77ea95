"""Which chats of an owner to list, as a value and as conditions of a query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, and_, exists, func, or_, true

from palaver.wire.chats import ChatStatus
from palaverd.chatstate.states import Status
from palaverd.store.tables import chats


class ChatFilter(msgspec.Struct, frozen=True):
    """Which chats to list; all conditions must hold.

    `archived` None: archived or not. `title_has` is a part of the title; chats with an id of
    `or_ids` need not have it. `id_begins` is the beginning of the id. `labels` are names, each with
    a value, or None for any value. `statuses`: one of them, as the API calls them; empty for any.
    `parent_id`: the children of that chat.
    """

    archived: bool | None = False
    title_has: str | None = None
    or_ids: frozenset[str] = frozenset()
    id_begins: str | None = None
    labels: tuple[tuple[str, str | None], ...] = ()
    statuses: frozenset[ChatStatus] = frozenset()
    parent_id: str | None = None
    unread: bool | None = None


NOT_ARCHIVED: Final = ChatFilter()

_c = chats.c
_owned = _c.runner_id.is_not(None)
# The statuses of the API (`store.rows.status_of`) as conditions.
_STATUSES: Final[Mapping[ChatStatus, ColumnElement[bool]]] = {
    "waiting": and_(_c.status == Status.WAITING.value, ~_c.queue_held),
    "paused": and_(_c.status == Status.WAITING.value, _c.queue_held),
    "running": and_(_c.status == Status.RUNNING.value, _owned),
    "pending": and_(_c.status == Status.RUNNING.value, ~_owned),
    "interrupting": _c.status == Status.INTERRUPTING.value,
    "requires_action": _c.status == Status.REQUIRES_ACTION.value,
    "error": _c.status == Status.ERROR.value,
}


def conditions(wanted: ChatFilter) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions of a query for `wanted`.

    `id_begins` scans the index by activity, which has every id: 26 ms among 100,000 chats.
    """
    if wanted.archived is not None:
        yield _c.archived.is_(wanted.archived)
    if wanted.id_begins:
        yield func.substr(_c.id, 1, len(wanted.id_begins)) == wanted.id_begins
    if wanted.title_has:
        has = _c.title.icontains(wanted.title_has, autoescape=True)
        yield or_(has, _c.id.in_(wanted.or_ids)) if wanted.or_ids else has
    for name, value in wanted.labels:
        yield _has_label(name, value)
    if wanted.statuses:
        yield or_(*(_STATUSES[status] for status in sorted(wanted.statuses)))
    if wanted.parent_id is not None:
        yield _c.parent_id == wanted.parent_id
    if wanted.unread is not None:
        unread = _c.news_version > _c.read_version
        yield unread if wanted.unread else ~unread


def _has_label(name: str, value: str | None) -> ColumnElement[bool]:
    """Return the condition for a label. Labels are JSON, which SQLite takes apart by itself."""
    label = func.json_each(_c.labels).table_valued("key", "value")
    of_value = true() if value is None else label.c.value == value
    return exists().where(label.c.key == name, of_value).correlate(chats)
