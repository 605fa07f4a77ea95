"""The asynchronous client of a daemon."""

from palaver.client.client import Client
from palaver.client.endpoint import Endpoint
from palaver.client.errors import (
    Incompatible,
    PalaverError,
    Refused,
    Unauthenticated,
    Unreachable,
)
from palaver.client.live import Connected, ConnectionLost
from palaver.stream.progress import Progress

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
