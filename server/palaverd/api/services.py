"""What handlers work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import msgspec
from aiohttp import web

from palaver.clock import Clock
from palaver.wire.chats import Info
from palaver.wire.setup import Reloaded, Setup
from palaverd.api.hosts import Known
from palaverd.api.readiness import Readiness
from palaverd.generation.catalog import Catalog
from palaverd.metrics import Metrics
from palaverd.pubsub.local import LocalHub
from palaverd.store.database import Database
from palaverd.stream.reader import ChangeReader
from palaverd.stream.registry import Episodes
from palaverd.usecases.context import Context


class Services(msgspec.Struct):
    """The parts of the daemon that the interface offers.

    `context` is for use cases; `touch` notes that a client is there. `working` counts the chats
    that are worked on, `setup` says where the models come from, `reload` reads the configuration
    anew and raises `ConfigError`, as does `lend`, which takes variables with keys first.
    `readiness` says whether it is ready for requests, `metrics` has what is counted, `known` says
    what the daemon is called by now.
    """

    database: Database
    context: Context
    hub: LocalHub
    episodes: Episodes
    reader: ChangeReader
    catalog: Catalog
    clock: Clock
    info: Info
    touch: Callable[[], None]
    working: Callable[[], int]
    setup: Callable[[], Setup | None]
    reload: Callable[[], Awaitable[Reloaded]]
    lend: Callable[[Mapping[str, str]], Awaitable[Reloaded]]
    readiness: Readiness
    metrics: Metrics
    known: Callable[[], Known]


SERVICES = web.AppKey("services", Services)
