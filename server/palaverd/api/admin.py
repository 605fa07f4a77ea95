"""Routes of users and tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from aiohttp import web
from sqlalchemy import Connection

from palaver.wire.access import NewToken, NewUser, Tokens, Users
from palaverd.api.access import GATE, Routes
from palaverd.api.bodies import answer, read_body
from palaverd.api.services import SERVICES
from palaverd.api.sockets import SOCKETS
from palaverd.store import access
from palaverd.store.access import StoredToken
from palaverd.store.codec import to_ms

routes = Routes()
T = TypeVar("T")


@routes.get("/api/v1/users", scope="admin")
async def get_users(request: web.Request) -> web.Response:
    """List the users."""
    return answer(Users(await request.app[SERVICES].database.read(access.list_users)))


@routes.post("/api/v1/users", scope="admin")
async def post_user(request: web.Request) -> web.Response:
    """Add a user, or let a disabled one in again."""
    name = (await read_body(request, NewUser)).name
    return answer(await _change(request, lambda c, now: access.add_user(c, name, now)), 201)


@routes.post("/api/v1/users/{user}/disable", scope="admin")
async def post_disable(request: web.Request) -> web.Response:
    """Let a user in no more, and close their streams."""
    name = request.match_info["user"]
    return answer(await _change(request, lambda c, now: access.disable_user(c, name, now)))


@routes.get("/api/v1/tokens", scope="admin")
async def get_tokens(request: web.Request) -> web.Response:
    """List the tokens, without their secrets."""
    return answer(Tokens(await request.app[SERVICES].database.read(access.list_tokens)))


@routes.post("/api/v1/tokens", scope="admin")
async def post_token(request: web.Request) -> web.Response:
    """Make a token; the answer alone has its secret."""
    new = await read_body(request, NewToken)
    made = answer(await _change(request, lambda c, now: access.make_token(c, new, now)), 201)
    made.headers["Cache-Control"] = "no-store"
    return made


@routes.delete("/api/v1/tokens/{token}", scope="admin")
async def delete_token(request: web.Request) -> web.Response:
    """Revoke a token, and close its streams."""
    token = request.match_info["token"]
    return answer(await _change(request, lambda c, now: access.revoke_token(c, token, now)))


async def _change(request: web.Request, work: Callable[[Connection, int], T]) -> T:
    """Change users or tokens; when this returns, and if nobody waits for it, it holds."""
    app, services = request.app, request.app[SERVICES]

    def transaction(connection: Connection) -> tuple[T, dict[str, StoredToken]]:
        done = work(connection, to_ms(services.clock.now()))
        return done, access.read_tokens(connection)

    def committed(outcome: tuple[T, dict[str, StoredToken]]) -> None:
        app[GATE].know(outcome[1])
        app[SOCKETS].turn_out(app[GATE].is_over, services.clock)

    return (await services.database.write(transaction, committed=committed))[0]
