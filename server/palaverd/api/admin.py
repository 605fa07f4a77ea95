"""Routes of users and tokens."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from palaver.wire.access import NewToken, NewUser
from palaverd.api.access import GATE, Routes
from palaverd.api.bodies import answer, read_body
from palaverd.api.services import SERVICES
from palaverd.api.sockets import SOCKETS
from palaverd.store.access import StoredToken
from palaverd.usecases import access
from palaverd.usecases.access import Registry

routes = Routes()


@routes.get("/api/v1/users", scope="admin")
async def get_users(request: web.Request) -> web.Response:
    """List the users."""
    return answer(await access.list_users(_registry(request)))


@routes.post("/api/v1/users", scope="admin")
async def post_user(request: web.Request) -> web.Response:
    """Add a user, or enable a disabled one."""
    name = (await read_body(request, NewUser)).name
    return answer(await access.add_user(_registry(request), name), 201)


@routes.post("/api/v1/users/{user}/disable", scope="admin")
async def post_disable(request: web.Request) -> web.Response:
    """Disable a user, and close their streams."""
    return answer(await access.disable_user(_registry(request), request.match_info["user"]))


@routes.get("/api/v1/tokens", scope="admin")
async def get_tokens(request: web.Request) -> web.Response:
    """List the tokens, without their secrets."""
    return answer(await access.list_tokens(_registry(request)))


@routes.post("/api/v1/tokens", scope="admin")
async def post_token(request: web.Request) -> web.Response:
    """Create a token; only this response has its secret."""
    new = await read_body(request, NewToken)
    made = answer(await access.make_token(_registry(request), new), 201)
    made.headers["Cache-Control"] = "no-store"
    return made


@routes.delete("/api/v1/tokens/{token}", scope="admin")
async def delete_token(request: web.Request) -> web.Response:
    """Revoke a token, and close its streams."""
    return answer(await access.revoke_token(_registry(request), request.match_info["token"]))


def _registry(request: web.Request) -> Registry:
    """Return the registry; each change closes the streams whose token has ended."""
    app, services = request.app, request.app[SERVICES]

    def changed(tokens: Mapping[str, StoredToken]) -> None:
        app[GATE].know(tokens)
        app[SOCKETS].turn_out(app[GATE].is_over, services.clock)

    return Registry(services.database, services.clock, changed)
