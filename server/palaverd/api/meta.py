"""Routes about the daemon itself."""

from __future__ import annotations

from aiohttp import web

from palaver.wire.chats import Models
from palaverd.api.bodies import answer
from palaverd.api.services import SERVICES

routes = web.RouteTableDef()


@routes.get("/healthz")
async def get_health(request: web.Request) -> web.Response:
    """Say that the process answers."""
    return answer({"status": "ok"})


@routes.get("/api/v1/info")
async def get_info(request: web.Request) -> web.Response:
    """Say which daemon this is."""
    return answer(request.app[SERVICES].info)


@routes.get("/api/v1/models")
async def get_models(request: web.Request) -> web.Response:
    """List the models that can be chosen."""
    return answer(Models(models=request.app[SERVICES].catalog.models()))
