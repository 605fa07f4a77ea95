"""Build the web application from the routes and middlewares."""

from __future__ import annotations

from aiohttp import web

from palaverd.api import (
    admin,
    chats,
    exports,
    files,
    histories,
    meta,
    metrics,
    queue,
    search,
    sockets,
    turns,
)
from palaverd.api.access import GATE, Gate, access_middleware
from palaverd.api.connections import CONNECTIONS, Connections, connection_middleware
from palaverd.api.declared import check_declared
from palaverd.api.hosts import KNOWN, host_middleware
from palaverd.api.limits import BODY_LIMIT
from palaverd.api.open_sockets import SOCKETS, OpenSockets
from palaverd.api.problems import Handler, problem_middleware
from palaverd.api.services import SERVICES, Services


@web.middleware
async def activity_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Record activity: a private daemon ends after an hour without any."""
    request.app[SERVICES].touch()
    return await handler(request)


ROUTES = (
    meta.routes,
    admin.routes,
    metrics.routes,
    chats.routes,
    histories.routes,
    exports.routes,
    files.routes,
    turns.routes,
    queue.routes,
    search.routes,
    sockets.routes,
)


def make_app(
    services: Services,
    connections: Connections,
    open_sockets: OpenSockets,
    gate: Gate,
) -> web.Application:
    """Return the application; it does not listen by itself."""
    app = web.Application(
        middlewares=[
            connection_middleware,
            problem_middleware,
            host_middleware,
            access_middleware,
            activity_middleware,
        ],
        client_max_size=BODY_LIMIT,
    )
    app[CONNECTIONS] = connections
    app[GATE] = gate
    app[KNOWN] = services.known
    app[SERVICES] = services
    app[SOCKETS] = open_sockets
    for routes in ROUTES:
        app.add_routes(routes)
    check_declared(app)
    return app
