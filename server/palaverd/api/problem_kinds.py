"""The kinds of problems: a table of their codes, titles and statuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class ProblemKind(NamedTuple):
    """A kind of problem: its title, and the HTTP statuses with which it is sent."""

    title: str
    statuses: tuple[int, ...]


KINDS: Final[Mapping[str, ProblemKind]] = {
    # The request itself.
    "bad_request": ProblemKind("The request cannot be understood", (400,)),
    "too_slow": ProblemKind("The request came too slowly", (408,)),
    "too_large": ProblemKind("The request is too large", (413,)),
    "address_too_long": ProblemKind("The address is too long", (414,)),
    "expectation_failed": ProblemKind("Not as expected", (417,)),
    "upgrade_required": ProblemKind("This is a WebSocket", (426,)),
    "headers_too_large": ProblemKind("The headers are too large", (431,)),
    "not_found": ProblemKind("No such place", (404,)),
    "method_not_allowed": ProblemKind("Not this way", (405,)),
    "tls_wanted": ProblemKind("TLS is spoken here", (400,)),
    # Who asks, and from where.
    "unauthenticated": ProblemKind("Not known here", (401,)),
    "too_many_logins": ProblemKind("Too many wrong tokens", (429,)),
    "scope": ProblemKind("Not for this token", (403,)),
    "not_your_socket": ProblemKind("Not your socket", (403,)),
    "unknown_host": ProblemKind("Not this daemon's name", (403,)),
    "unknown_origin": ProblemKind("Not for this page", (403,)),
    "bad_access": ProblemKind("Users and tokens are as they were", (400, 404, 409)),
    # What is asked for.
    "chat_not_found": ProblemKind("No such chat", (404,)),
    "file_not_found": ProblemKind("No such file", (404,)),
    "unknown_type": ProblemKind("No file of an accepted type", (400,)),
    "no_such_range": ProblemKind("The file has no such part", (416,)),
    "unknown_model": ProblemKind("No such model", (400,)),
    "unknown_file": ProblemKind("No such file", (400,)),
    "unreadable_file": ProblemKind("Not a file for this model", (400,)),
    "empty_message": ProblemKind("The message is empty", (400,)),
    "no_such_message": ProblemKind("No such message", (404,)),
    "not_in_queue": ProblemKind("Not in the queue", (404,)),
    "unknown_call": ProblemKind("No such call", (404,)),
    "refused": ProblemKind("Not in this state", (409,)),
    "stale_version": ProblemKind("This is over", (409,)),
    "queue_full": ProblemKind("The queue is full", (409,)),
    "order_conflict": ProblemKind("Not the queue as it is", (409,)),
    "idempotency_key_reused": ProblemKind("The idempotency key was used before", (409,)),
    "bad_config": ProblemKind("The configuration cannot be used", (409,)),
    # The daemon's own state.
    "too_many_streams": ProblemKind("Too many streams", (429,)),
    "too_many_connections": ProblemKind("Too many connections", (503,)),
    "no_descriptor": ProblemKind("Too many open files", (503,)),
    "not_ready": ProblemKind("Not ready", (503,)),
    "storage": ProblemKind("The database is in trouble", (503,)),
    "internal": ProblemKind("Palaver made a mistake", (500,)),
}

# What may be wrong with a message, wherever one is sent or changed.
OF_MESSAGES: Final = ("empty_message", "unknown_model", "unknown_file", "unreadable_file")
