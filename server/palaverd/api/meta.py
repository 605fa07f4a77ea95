"""Routes of the daemon itself."""

from __future__ import annotations

import msgspec
from aiohttp import web

from palaver.wire.chats import Models
from palaver.wire.setup import Lent
from palaverd.api.access import Routes, is_admin, owner_of
from palaverd.api.bodies import answer, read_body
from palaverd.api.connections import connection_of
from palaverd.api.problems import BadRequest, problem, respond
from palaverd.api.services import SERVICES
from palaverd.api.sockets import SOCKETS
from palaverd.store.access import LOCAL_OWNER

routes = Routes()


@routes.get("/healthz", scope="public")
async def get_health(request: web.Request) -> web.Response:
    """Respond that the process is alive."""
    return answer({"status": "ok"})


@routes.get("/readyz", scope="read")
async def get_readiness(request: web.Request) -> web.Response:
    """Respond whether the database answers and has this version's schema.

    Reveals nothing more.
    """
    lacks = await request.app[SERVICES].readiness.lacks()
    if lacks is not None:
        return respond(problem(503, "not_ready", lacks))
    return answer({"status": "ready"})


@routes.get("/api/v1/info", scope="read")
async def get_info(request: web.Request) -> web.Response:
    """Return the daemon's info."""
    services = request.app[SERVICES]
    working, clients = services.working(), len(request.app[SOCKETS])
    info = msgspec.structs.replace(services.info, working=working, clients=clients)
    owner = owner_of(request)
    if owner != LOCAL_OWNER:  # whose name is the daemon's account
        info = msgspec.structs.replace(info, user=owner)
    if not is_admin(request):  # paths are for administrators
        info = msgspec.structs.replace(info, pid=0, data_dir="", config=None, unit=None)
    return answer(info)


@routes.get("/api/v1/models", scope="read")
async def get_models(request: web.Request) -> web.Response:
    """List the models to choose from."""
    services = request.app[SERVICES]
    setup = services.setup() if is_admin(request) else None  # paths, variables, proxies
    return answer(Models(models=services.catalog.models(), setup=setup))


@routes.post("/api/v1/reload", scope="admin")
async def post_reload(request: web.Request) -> web.Response:
    """Reload the configuration; return what is in force now and what needs a restart."""
    return answer(await request.app[SERVICES].reload())


@routes.post("/api/v1/variables", scope="admin")
async def post_variables(request: web.Request) -> web.Response:
    """Take API keys that the daemon lacks from a client; see `Lent`. Only over the Unix socket."""
    if connection_of(request).entrance.kind != "unix":
        raise BadRequest(
            "Keys are lent over the daemon's own socket only.", code="scope", status=403
        )
    lent = await read_body(request, Lent)
    return answer(await request.app[SERVICES].lend(lent.variables))
