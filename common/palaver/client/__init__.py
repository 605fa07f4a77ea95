"""The asynchronous client of a daemon."""

from palaver.client.client import Client
from palaver.client.cursor import Position
from palaver.client.endpoint import Endpoint
from palaver.client.errors import (
    Incompatible,
    PalaverError,
    Refused,
    Unauthenticated,
    Unreachable,
)
from palaver.client.live import Connected, ConnectionLost

__all__ = [
    "Client",
    "Connected",
    "ConnectionLost",
    "Endpoint",
    "Incompatible",
    "PalaverError",
    "Position",
    "Refused",
    "Unauthenticated",
    "Unreachable",
]
