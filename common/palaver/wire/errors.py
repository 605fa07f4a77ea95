"""Errors as values: `ChatError` of a chat, `Problem` of a refused request."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args

import msgspec

FailureKind = Literal[
    "overloaded",
    "loading",
    "rate_limit",
    "timeout",
    "startup_timeout",
    "silence_timeout",
    "server_error",
    "auth",
    "missing_key",
    "config",
    "context_overflow",
    "usage_limit",
    "content_filter",
    "generic",
]
KINDS: frozenset[str] = frozenset(get_args(FailureKind))


class SpendLimit(msgspec.Struct, frozen=True):
    """The spending and its limit, in millionths of a dollar, and when it is reset."""

    spent_micros: int
    limit_micros: int
    resets_at: datetime | None = None


class ChatError(msgspec.Struct, frozen=True):
    """One classified failure, the same value live, stored, and a day later.

    `message` is for the user; `detail` is the provider's own message (at most 500 characters,
    secrets masked); `retry_after_ms` is the provider's hint in milliseconds.
    `retry_at` is when the provider asked to come back, where that is too long to be waited for.
    What a person can do about it, each client decides by `kind`.
    """

    kind: FailureKind
    message: str
    detail: str | None = None
    provider: str | None = None
    model: str | None = None
    status_code: int | None = None
    retryable: bool = False
    retry_after_ms: int | None = None
    limit: SpendLimit | None = None
    request_id: str | None = None
    retry_at: datetime | None = None


class Problem(msgspec.Struct, frozen=True):
    """The problem details of a refused request (RFC 9457), with Palaver's fields, all present.

    `type` is `urn:palaver:problem:<code>`; `code` is the machine-readable reason. `state` and
    `transition` are set for a conflict with the state machine, `field` names the invalid field of a
    request.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str | None = None
    state: str | None = None
    transition: str | None = None
    chat_error: ChatError | None = None


PROBLEM_CONTENT_TYPE = "application/problem+json"  # RFC 9457, section 3
