"""Routes of chats and messages."""

from __future__ import annotations

import base64
import binascii

import msgspec
from aiohttp import web

from palaver.wire.chats import ChatPage, CreateChat, SendMessage
from palaverd.api.access import Routes, owner_of
from palaverd.api.bodies import answer, asker, bool_query, chat_id_of, int_query, read_body
from palaverd.api.limits import CHATS_PAGE, LIST_LIMIT, MESSAGES_LIMIT, MESSAGES_PAGE
from palaverd.api.problems import BadRequest
from palaverd.api.services import SERVICES
from palaverd.store.listing import Cursor
from palaverd.usecases import lookups, messages

routes = Routes()


@routes.post("/api/v1/chats", scope="chat")
async def post_chat(request: web.Request) -> web.Response:
    """Create a chat with its first message; it runs at once."""
    body = await read_body(request, CreateChat)
    sent = await messages.create_chat(request.app[SERVICES].context, asker(request), body)
    return answer(sent, status=200 if sent.repeated else 201)


@routes.get("/api/v1/chats", scope="read")
async def get_chats(request: web.Request) -> web.Response:
    """List chats by page, newest activity first."""
    chats, following = await lookups.list_chats(
        request.app[SERVICES].context,
        owner_of(request),
        limit=int_query(request, "limit", low=1, high=LIST_LIMIT) or CHATS_PAGE,
        cursor=_cursor(request.query.get("cursor")),
        archived=bool_query(request, "archived") if "archived" in request.query else None,
        title_has=request.query.get("q"),
        id_begins=request.query.get("prefix"),
    )
    return answer(ChatPage(chats=chats, next_cursor=write_cursor(following)))


@routes.get("/api/v1/chats/{chat_id}", scope="read")
async def get_chat(request: web.Request) -> web.Response:
    """Read one chat."""
    context = request.app[SERVICES].context
    return answer(await lookups.find_chat(context, chat_id_of(request), owner_of(request)))


@routes.get("/api/v1/chats/{chat_id}/messages", scope="read")
async def get_messages(request: web.Request) -> web.Response:
    """Read messages by page."""
    page = await lookups.list_messages(
        request.app[SERVICES].context,
        chat_id_of(request),
        owner_of(request),
        before_id=int_query(request, "before_id"),
        after_id=int_query(request, "after_id"),
        limit=int_query(request, "limit", low=1, high=MESSAGES_LIMIT) or MESSAGES_PAGE,
    )
    return answer(page)


@routes.post("/api/v1/chats/{chat_id}/messages", scope="chat")
async def post_message(request: web.Request) -> web.Response:
    """Send a message: into history if the chat is idle, else into its queue."""
    context, chat_id = request.app[SERVICES].context, chat_id_of(request)
    body = await read_body(request, SendMessage)
    return answer(await messages.send_message(context, chat_id, asker(request), body))


def write_cursor(cursor: Cursor | None) -> str | None:
    """Return a cursor as an opaque string."""
    if cursor is None:
        return None
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode()


def _cursor(text: str | None) -> Cursor | None:
    if text is None:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(text), type=Cursor)
    except (msgspec.DecodeError, binascii.Error, ValueError):
        raise BadRequest("cursor is not one that this daemon gave.", field="cursor") from None
