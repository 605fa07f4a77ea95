"""Routes of the daemon itself."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import Literal

import msgspec
from aiohttp import web

from palaver.wire.chats import Info, Models
from palaver.wire.setup import Lent, Reloaded
from palaverd.api.access import is_admin, owner_of
from palaverd.api.declared import Declared, declared_of
from palaverd.api.open_sockets import SOCKETS
from palaverd.api.problems import BadRequest
from palaverd.api.routes import Routes
from palaverd.api.services import SERVICES
from palaverd.store.access import LOCAL_OWNER

routes = Routes()


class Alive(msgspec.Struct, frozen=True):
    """The process is alive."""

    status: Literal["ok"] = "ok"


class Ready(msgspec.Struct, frozen=True):
    """The daemon is ready for requests."""

    status: Literal["ready"] = "ready"


@routes.get("/healthz", scope="public")
async def get_health(request: web.Request) -> Alive:
    """Respond that the process is alive."""
    return Alive()


@routes.get("/readyz", scope="read", problems=("not_ready",))
async def get_readiness(request: web.Request) -> Ready:
    """Respond whether the database answers and has this version's schema.

    Reveals nothing more.
    """
    lacks = await request.app[SERVICES].readiness.lacks()
    if lacks is not None:
        raise BadRequest(lacks, code="not_ready", status=503)
    return Ready()


@routes.get("/api/v1/info", scope="read")
async def get_info(request: web.Request) -> Info:
    """Return the daemon's info."""
    services = request.app[SERVICES]
    working, clients = services.working(), len(request.app[SOCKETS])
    info = msgspec.structs.replace(services.info, working=working, clients=clients)
    owner = owner_of(request)
    if owner != LOCAL_OWNER:  # whose name is the daemon's account
        info = msgspec.structs.replace(info, user=owner)
    if not is_admin(request):  # paths are for administrators
        info = msgspec.structs.replace(info, pid=0, data_dir="", config=None, unit=None)
    return info


@routes.get("/api/v1/openapi.json", scope="read")
async def get_openapi(request: web.Request) -> web.Response:
    """Describe all routes as an OpenAPI document."""
    served = (declared_of(route.handler) for route in request.app.router.routes())
    known = dict.fromkeys(one for one in served if one is not None)  # HEAD has the same as GET
    text = await asyncio.to_thread(_written, tuple(known))
    return web.Response(body=text, content_type="application/json")


@lru_cache(maxsize=1)
def _written(served: tuple[Declared, ...]) -> bytes:
    # Imported here: few daemons are ever asked for it.
    from palaverd.api.openapi import document

    return msgspec.json.encode(document(served))


@routes.get("/api/v1/models", scope="read")
async def get_models(request: web.Request) -> Models:
    """List the models to choose from."""
    services = request.app[SERVICES]
    setup = await services.setup() if is_admin(request) else None  # paths, variables, proxies
    return Models(models=services.catalog.models(), setup=setup)


@routes.post("/api/v1/reload", scope="admin", problems=("bad_config",))
async def post_reload(request: web.Request) -> Reloaded:
    """Reload the configuration; return what is in force now and what needs a restart."""
    return await request.app[SERVICES].reload()


@routes.post("/api/v1/variables", scope="admin", problems=("bad_config",), over_socket=True)
async def post_variables(request: web.Request, body: Lent) -> Reloaded:
    """Take API keys that the daemon lacks from a client. Only over the Unix socket."""
    return await request.app[SERVICES].lend(body.variables)
