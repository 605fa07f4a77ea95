"""The signals of a failure: what is known before it is classified."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from palaver.wire.errors import SpendLimit
from palaverd.failures import retry_after

# The guard that ended the attempt: no first event, no bytes, or nothing but pings.
Guard = Literal["startup", "silence", "pings"]
# How the response broke the protocol.
Malformed = Literal["content_type", "json", "too_long"]

# Headers that classification reads; the others are dropped in providers/exception_signals.py.
HEADERS = retry_after.HEADERS | {"content-type", "server", "via", "proxy-authenticate"}

# A longer body is ignored: it is a web page.
MAX_BODY_BYTES = 64 * 1024


class Signals(msgspec.Struct, frozen=True, kw_only=True):
    """Everything known about a failure, unchanged from its source.

    `provider` is the configured name, `model` the provider's own name for the model, and
    `key_hint` says where the key comes from (as in `ANTHROPIC_API_KEY`).

    `status` is the response's status, also when it is 200; `headers` is the subset in `HEADERS`
    with lower-case names. `body_type`, `body_code` and `body_message` come from the decoded
    error, in a body or inside a stream, as does `body_wait_ms`, where a field of it asks to wait.
    `reported` says that it stood inside a stream. `exceptions` are class names along the cause
    chain, base classes included; `text` is the text of those exceptions.

    `url` is the requested URL, `proxy` the proxy used for it, and `proxy_from` the variable that
    names the proxy; none of them contains a password. `certificates` is the fault of a file of
    certificates, as a sentence, `key_fault` that of a key, as the end of a sentence.

    `stream_ended` says that a stream ended, `terminal_event` that the provider's own end marker
    was seen. `cancelled_by_library` is a cancellation that this program did not request. `empty`
    is a finish without content and without a reason, `filtered` a finish with a content filter
    and without content. `no_descriptor` says that this process had no file descriptor left. `at`
    is when it happened.
    """

    provider: str
    model: str | None = None
    key_hint: str | None = None
    at: datetime | None = None

    status: int | None = None
    headers: dict[str, str] = {}
    request_id: str | None = None
    body_type: str | None = None
    body_code: str | None = None
    body_message: str | None = None
    body_wait_ms: int | None = None
    reported: bool = False

    exceptions: tuple[str, ...] = ()
    text: str = ""

    guard: Guard | None = None
    guard_seconds: float | None = None
    stream_ended: bool = False
    terminal_event: bool = False
    cancelled_by_library: bool = False
    malformed: Malformed | None = None
    filtered: bool = False
    empty: bool = False
    window_exceeded: bool = False

    url: str | None = None
    proxy: str | None = None
    proxy_from: str | None = None
    certificates: str | None = None

    no_descriptor: bool = False
    key_fault: str | None = None
    key_missing: bool = False
    provider_disabled: bool = False
    spend_limit: SpendLimit | None = None
