"""Routes of chats and messages."""

from __future__ import annotations

import base64
import binascii
import difflib

import msgspec
from aiohttp import web
from sqlalchemy import Connection

from palaver.wire.chats import ChatPage, CreateChat, Interrupt, Interrupted, SendMessage
from palaver.wire.messages import MessagePage
from palaverd.api.access import Routes, owner_of
from palaverd.api.bodies import answer, asker, bool_query, int_query, read_body
from palaverd.api.limits import LIST_LIMIT
from palaverd.api.problems import BadRequest
from palaverd.api.services import SERVICES
from palaverd.api.workspaces import found_workspace
from palaverd.generation.catalog import Catalog
from palaverd.generation.title import first_title
from palaverd.store.door import NewChat
from palaverd.store.history import NewUserMessage
from palaverd.store.listing import Cursor, list_chats
from palaverd.store.rows import wire_chat
from palaverd.store.sync import PAGE, PAGE_LIMIT, load_chat, load_page
from palaverd.store.transitions.stopping import interrupt
from palaverd.usecases.messages import create_chat, send_message

routes = Routes()


@routes.post("/api/v1/chats", scope="chat")
async def post_chat(request: web.Request) -> web.Response:
    """Create a chat with its first message; it runs at once."""
    services, owner = request.app[SERVICES], owner_of(request)
    body = await read_body(request, CreateChat)
    message = user_message(body.content, None, owner)
    known_model(services.catalog, body.model)
    new = NewChat(
        owner=owner,
        title=body.title or first_title(body.content),
        title_by_person=body.title is not None,
        system_prompt=body.system_prompt,
        model=body.model,
        labels=body.labels,
        workspace=await found_workspace(body.workspace, services.host, owner),
    )
    sent = await create_chat(services.door, new, message, asker(request))
    return answer(sent, status=200 if sent.repeated else 201)


@routes.get("/api/v1/chats", scope="read")
async def get_chats(request: web.Request) -> web.Response:
    """List chats by page, newest activity first."""
    services, owner = request.app[SERVICES], owner_of(request)
    limit = int_query(request, "limit", low=1, high=LIST_LIMIT) or PAGE
    cursor = _cursor(request.query.get("cursor"))
    prefix, title_has = request.query.get("prefix"), request.query.get("q")
    # Who names a chat means that one, archived or not, unless they say which.
    either = prefix is not None and "archived" not in request.query
    archived = None if either else bool_query(request, "archived")
    rows, following = await services.database.read(
        lambda c: list_chats(
            c,
            owner,
            limit=limit,
            cursor=cursor,
            archived=archived,
            title_has=title_has,
            id_begins=prefix,
        )
    )
    return answer(
        ChatPage(chats=[wire_chat(row) for row in rows], next_cursor=write_cursor(following))
    )


@routes.get("/api/v1/chats/{chat_id}", scope="read")
async def get_chat(request: web.Request) -> web.Response:
    """Read one chat."""
    services, chat_id, owner = request.app[SERVICES], _chat_id(request), owner_of(request)
    row = await services.database.read(lambda c: load_chat(c, chat_id, owner))
    return answer(wire_chat(row))


@routes.get("/api/v1/chats/{chat_id}/messages", scope="read")
async def get_messages(request: web.Request) -> web.Response:
    """Read messages by page."""
    services, chat_id, owner = request.app[SERVICES], _chat_id(request), owner_of(request)
    before_id, after_id = int_query(request, "before_id"), int_query(request, "after_id")
    limit = int_query(request, "limit", low=1, high=PAGE_LIMIT) or PAGE

    def read(connection: Connection) -> MessagePage:
        load_chat(connection, chat_id, owner)
        found, more = load_page(
            connection, chat_id, before_id=before_id, after_id=after_id, limit=limit
        )
        return MessagePage(messages=found, more=more)

    return answer(await services.database.read(read))


@routes.post("/api/v1/chats/{chat_id}/messages", scope="chat")
async def post_message(request: web.Request) -> web.Response:
    """Send a message: into history when the chat is idle, else into its queue."""
    services, chat_id, owner = request.app[SERVICES], _chat_id(request), owner_of(request)
    body = await read_body(request, SendMessage)
    message = user_message(body.content, body.model, owner)
    known_model(services.catalog, body.model)
    sent = await send_message(
        services.door,
        chat_id,
        asker(request),
        message,
        interrupt=body.when_busy == "interrupt",
        turn_version=body.turn_version,
        position=body.position,
    )
    return answer(sent)


@routes.post("/api/v1/chats/{chat_id}/interrupt", scope="chat")
async def post_interrupt(request: web.Request) -> web.Response:
    """Stop what runs in the turn that the client saw."""
    services, chat_id, owner = request.app[SERVICES], _chat_id(request), owner_of(request)
    body = await read_body(request, Interrupt)
    applied = await services.door.apply(
        chat_id,
        lambda chat: interrupt(chat, body.turn_version, hold_queue=body.hold_queue),
        owner=owner,
    )
    return answer(
        Interrupted(chat=wire_chat(applied.row), changed=applied.changed, reason=applied.result)
    )


def _chat_id(request: web.Request) -> str:
    return request.match_info["chat_id"]


def user_message(content: str, model: str | None, owner: str) -> NewUserMessage:
    """Make the message that a person sends.

    Raises:
        BadRequest: there is nothing in it.
    """
    if not content.strip():
        raise BadRequest("The message is empty.", code="empty_message", field="content")
    return NewUserMessage(content=content, model=model, created_by=owner)


def known_model(catalog: Catalog, name: str | None) -> None:
    """Refuse a model that is not configured.

    Raises:
        BadRequest: there is no such model; the nearest one is named.
    """
    if name is None or name in catalog:
        return
    near = difflib.get_close_matches(name, catalog.names(), n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    known = ", ".join(catalog.names()) or "none"
    raise BadRequest(
        f"There is no model {name}.{hint} Configured: {known}.",
        code="unknown_model",
        field="model",
    )


def write_cursor(cursor: Cursor | None) -> str | None:
    """Write where the next page begins as an opaque word."""
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
