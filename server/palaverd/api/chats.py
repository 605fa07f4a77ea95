"""Routes of chats and messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from palaver.wire.bounds import Whole
from palaver.wire.chats import (
    LABEL_LIMIT,
    Chat,
    ChatPage,
    ChatStatus,
    CreateChat,
    SendMessage,
    Sent,
)
from palaver.wire.messages import MessagePage
from palaverd.api.access import owner_of
from palaverd.api.cursors import read_cursor, write_cursor
from palaverd.api.declared import Reply
from palaverd.api.limits import CHATS_PAGE, LIST_LIMIT, MESSAGES_LIMIT, MESSAGES_PAGE
from palaverd.api.problem_kinds import OF_MESSAGES
from palaverd.api.problems import BadRequest
from palaverd.api.routes import Routes
from palaverd.api.services import SERVICES
from palaverd.store.filters import ChatFilter
from palaverd.store.listing import Cursor
from palaverd.usecases import lookups, messages
from palaverd.usecases.keyed_requests import Asker

routes = Routes()


class ListChats(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which chats to list: by default those that are not archived. All conditions must hold.

    `cursor` is the `next_cursor` of the page before. `q` is a part of the title, or words of its
    messages, as in a search; `prefix` the beginning of an id: with it, archived chats are found,
    too. `label` is a name, or a name and a value as in `team=docs`; several must all be there. Of
    several of `status` one is enough. `parent` is the id of a chat whose children are listed.
    """

    limit: Annotated[int, Meta(ge=1, le=LIST_LIMIT)] = CHATS_PAGE
    cursor: str | None = None
    archived: bool | None = None
    q: str | None = None
    prefix: str | None = None
    label: list[str] = []
    status: list[ChatStatus] = []
    parent: str | None = None
    unread: bool | None = None

    @property
    def wanted(self) -> ChatFilter:
        """The filter that the parameters describe.

        Raises:
            BadRequest: there are too many labels.
        """
        return ChatFilter(
            archived=False if self.archived is None and self.prefix is None else self.archived,
            title_has=self.q,
            id_begins=self.prefix,
            labels=_labels(self.label),
            statuses=frozenset(self.status),
            parent_id=self.parent,
            unread=self.unread,
        )


class ListMessages(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which messages to list: newest first, unless only `after_id` is given."""

    before_id: Whole | None = None
    after_id: Whole | None = None
    limit: Annotated[int, Meta(ge=1, le=MESSAGES_LIMIT)] = MESSAGES_PAGE


@routes.post(
    "/api/v1/chats",
    scope="chat",
    statuses=(201, 200),
    problems=OF_MESSAGES,
)
async def post_chat(request: web.Request, asker: Asker, body: CreateChat) -> Reply[Sent]:
    """Create a chat with its first message; it runs at once. 200: it was created before."""
    sent = await messages.create_chat(request.app[SERVICES].context, asker, body)
    return Reply(sent, 200 if sent.repeated else 201)


@routes.get("/api/v1/chats", scope="read")
async def get_chats(request: web.Request, query: ListChats) -> ChatPage:
    """List chats by page: pinned ones in their order, then the others, newest activity first."""
    chats, following = await lookups.list_chats(
        request.app[SERVICES].context,
        owner_of(request),
        limit=query.limit,
        cursor=read_cursor(query.cursor, Cursor),
        wanted=query.wanted,
    )
    return ChatPage(chats=chats, next_cursor=write_cursor(following))


@routes.get("/api/v1/chats/{chat_id}", scope="read")
async def get_chat(request: web.Request, chat_id: str) -> Chat:
    """Read one chat."""
    return await lookups.find_chat(request.app[SERVICES].context, chat_id, owner_of(request))


@routes.get("/api/v1/chats/{chat_id}/messages", scope="read")
async def get_messages(request: web.Request, chat_id: str, query: ListMessages) -> MessagePage:
    """Read messages by page."""
    return await lookups.list_messages(
        request.app[SERVICES].context,
        chat_id,
        owner_of(request),
        before_id=query.before_id,
        after_id=query.after_id,
        limit=query.limit,
    )


@routes.post(
    "/api/v1/chats/{chat_id}/messages",
    scope="chat",
    problems=(
        *OF_MESSAGES,
        "refused",
        "queue_full",
    ),
)
async def post_message(request: web.Request, chat_id: str, asker: Asker, body: SendMessage) -> Sent:
    """Send a message: into history if the chat is idle, else into its queue."""
    return await messages.send_message(request.app[SERVICES].context, chat_id, asker, body)


def _labels(texts: Sequence[str]) -> tuple[tuple[str, str | None], ...]:
    """Return names, each with its value, None if any will do."""
    if len(texts) > LABEL_LIMIT:  # SQLite refuses a query with a thousand
        raise BadRequest(
            f"label is given {len(texts)} times: at most {LABEL_LIMIT} are taken, as many as a chat"
            " has.",
            field="label",
        )
    parted = (text.partition("=") for text in texts)
    return tuple((name, value if equals else None) for name, equals, value in parted)
