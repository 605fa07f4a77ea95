"""The asynchronous client of a daemon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from palaver.client.connection_events import Connected, ConnectionLost
from palaver.client.endpoint import Endpoint
from palaver.client.errors import (
    Incompatible,
    PalaverError,
    Refused,
    Unauthenticated,
    Unreachable,
)
from palaver.stream.progress import Progress

if TYPE_CHECKING:
    from palaver.client.client import Client

__all__ = [
    "Client",
    "Connected",
    "ConnectionLost",
    "Endpoint",
    "Incompatible",
    "PalaverError",
    "Progress",
    "Refused",
    "Unauthenticated",
    "Unreachable",
]


def __getattr__(name: str) -> object:
    """Import `Client` when it is first used: aiohttp takes longer than all the rest together."""
    if name != "Client":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from palaver.lean_aiohttp import import_aiohttp

    import_aiohttp()
    from palaver.client.client import Client

    globals()[name] = Client
    return Client
