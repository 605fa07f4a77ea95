"""The dependencies of the routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import msgspec
from aiohttp import web

from palaver.clock import Clock
from palaver.wire.chats import Info
from palaver.wire.setup import Reloaded, Setup
from palaverd.api.hosts import Known
from palaverd.api.readiness import Readiness
from palaverd.file_folder import FileFolder
from palaverd.generation.catalog import Catalog
from palaverd.metrics import Metrics
from palaverd.pubsub.local import LocalHub
from palaverd.store.database import Database
from palaverd.stream.reader import ChangeReader
from palaverd.stream.registry import Episodes
from palaverd.usecases.context import Context


class Services(msgspec.Struct):
    """The parts of the daemon that the API uses.

    `context` is for use cases; `touch` records activity of clients. `working` returns the number of
    running chats, `setup` the source of the configuration; `reload` reloads it and raises
    `ConfigError`, as does `lend`, which takes API keys first. `readiness` says whether the daemon
    is ready, `metrics` has its metrics, `known` returns its current names.
    """

    database: Database
    context: Context
    files: FileFolder
    hub: LocalHub
    episodes: Episodes
    reader: ChangeReader
    catalog: Catalog
    clock: Clock
    info: Info
    touch: Callable[[], None]
    working: Callable[[], int]
    setup: Callable[[], Awaitable[Setup | None]]
    reload: Callable[[], Awaitable[Reloaded]]
    lend: Callable[[Mapping[str, str]], Awaitable[Reloaded]]
    readiness: Readiness
    metrics: Metrics
    known: Callable[[], Known]


SERVICES = web.AppKey("services", Services)
