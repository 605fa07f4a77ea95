"""Routes of users and tokens."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from palaver.wire.access import MadeToken, NewToken, NewUser, Token, Tokens, User, Users
from palaverd.api.access import GATE
from palaverd.api.declared import Reply
from palaverd.api.open_sockets import SOCKETS
from palaverd.api.routes import Routes
from palaverd.api.services import SERVICES
from palaverd.store.access import StoredToken
from palaverd.usecases import access
from palaverd.usecases.access import Registry

routes = Routes()


@routes.get("/api/v1/users", scope="admin")
async def get_users(request: web.Request) -> Users:
    """List the users."""
    return await access.list_users(_registry(request))


@routes.post(
    "/api/v1/users",
    scope="admin",
    statuses=(201,),
    problems=(("bad_access", 400), ("bad_access", 409)),
)
async def post_user(request: web.Request, body: NewUser) -> User:
    """Add a user, or enable a disabled one."""
    return await access.add_user(_registry(request), body.name)


@routes.post(
    "/api/v1/users/{user}/disable",
    scope="admin",
    problems=(("bad_access", 404), ("bad_access", 409)),
)
async def post_disable(request: web.Request, user: str) -> User:
    """Disable a user, and close their streams."""
    return await access.disable_user(_registry(request), user)


@routes.get("/api/v1/tokens", scope="admin")
async def get_tokens(request: web.Request) -> Tokens:
    """List the tokens, without their secrets."""
    return await access.list_tokens(_registry(request))


@routes.post("/api/v1/tokens", scope="admin", statuses=(201,), problems=("bad_access",))
async def post_token(request: web.Request, body: NewToken) -> Reply[MadeToken]:
    """Create a token; only this response has its secret."""
    made = await access.make_token(_registry(request), body)
    return Reply(made, 201, {"Cache-Control": "no-store"})


@routes.delete("/api/v1/tokens/{token}", scope="admin", problems=(("bad_access", 404),))
async def delete_token(request: web.Request, token: str) -> Token:
    """Revoke a token, and close its streams."""
    return await access.revoke_token(_registry(request), token)


def _registry(request: web.Request) -> Registry:
    """Return the registry; each change closes the streams whose token has ended."""
    app, services = request.app, request.app[SERVICES]

    def changed(tokens: Mapping[str, StoredToken]) -> None:
        app[GATE].know(tokens)
        app[SOCKETS].turn_out(app[GATE].is_over)

    return Registry(services.database, services.clock, changed)
