"""The banner: what went wrong, and the keys that help. At most one is shown. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from palaver.wire.errors import ChatError, FailureKind
from palaver_tui.keymap.actions import key_of
from palaver_tui.state.activity import duration, remaining
from palaver_tui.state.chat import ChatView
from palaver_tui.state.connection import Connection
from palaver_tui.state.first_run import FirstRun
from palaver_tui.state.primary_action import LABELS, primary
from palaver_tui.text.visible import visible_line

Tone = Literal["error", "warning"]
# No banner for a connection that is back within this time; the header shows the loss anyway.
QUIET_S = 1.0

HEADLINES: dict[FailureKind, str] = {
    "overloaded": "The provider is overloaded",
    "loading": "The model is being loaded",
    "rate_limit": "Too many requests",
    "timeout": "The provider did not answer",
    "startup_timeout": "No first word in time",
    "silence_timeout": "The answer fell silent",
    "server_error": "The provider had a problem",
    "auth": "The key was not accepted",
    "missing_key": "No key is configured",
    "config": "The configuration does not fit",
    "context_overflow": "The conversation is too long",
    "usage_limit": "A limit was reached",
    "content_filter": "Refused by the content filter",
    "generic": "Something went wrong",
}


class Banner(msgspec.Struct, frozen=True):
    """A banner: `title` and `code` are shown in the frame, `text` and `detail` inside.

    `keys` are triples of key, action id and label.
    """

    tone: Tone
    title: str
    text: str
    code: str = ""
    detail: str | None = None
    keys: tuple[tuple[str, str, str], ...] = ()


def _key(action: str, label: str) -> tuple[str, str, str]:
    return key_of(action), action, label


STOP_KEY = _key("chat.escape", "stop")
DETAIL_KEY = _key("error.detail", "details")
LESS_KEY = _key("error.detail", "no details")
MODEL_KEY = _key("model.choose", "other model")
NEW_KEY = _key("chat.new", "new chat")
# The keys of the primary action: Enter in an empty composer, and one that works always.
PRIMARY = f"{key_of('composer.send')} {key_of('banner.primary')}"
# Further keys that help, by kind of failure.
HELPS: dict[FailureKind, tuple[tuple[str, str, str], ...]] = {
    "auth": (MODEL_KEY,),
    "missing_key": (MODEL_KEY,),
    "config": (MODEL_KEY,),
    "usage_limit": (MODEL_KEY,),
    "context_overflow": (NEW_KEY, MODEL_KEY),
}


def banner(
    view: ChatView,
    connection: Connection,
    now: datetime,
    show_detail: bool = False,
    *,
    setup: FirstRun | None = None,
    archived: bool = False,
) -> Banner | None:
    """Return the most important banner; None if nothing is wrong, or nothing can be done about it.

    Args:
        setup: what is missing to use a model, None if one can be used.
    """
    if connection.phase == "offline":
        text = visible_line(connection.reason or "The daemon cannot be reached.")
        return Banner("error", connection.headline, text, keys=_primary(view, connection))
    if connection.phase == "reconnecting" and _worth_it(connection, now):
        return _reconnecting(connection, now)
    if archived:
        return None
    if view.retry is not None and view.status == "running":
        retry = view.retry
        rest = remaining(retry.retrying_at, now)
        if retry.error.kind == "loading":  # waiting for it counts as no attempt
            title = f"{HEADLINES['loading']} · asked again in {rest}"
        else:
            title = f"Retrying in {rest} · attempt {retry.attempt + 1} of {retry.max_attempts}"
        code = str(retry.error.status_code or "")
        keys = (*_primary(view, connection), MODEL_KEY, STOP_KEY)
        return Banner("warning", title, _sentence(retry.error), code, keys=keys)
    if view.error is not None and view.status == "error":
        first = _primary(view, connection, setup)
        return _failed(view, view.error, first, now, show_detail)
    return None


def _worth_it(connection: Connection, now: datetime) -> bool:
    return connection.since is not None and (now - connection.since).total_seconds() >= QUIET_S


def _reconnecting(connection: Connection, now: datetime) -> Banner:
    title = "Lost the connection" if connection.lost else "No connection yet"
    if connection.since is not None:
        ago = duration((now - connection.since).total_seconds())
        title += f" · {ago} ago" if connection.lost else f" · tried for {ago}"
    text = "You can go on reading and writing. What you send goes out, once, when it is back."
    said = [visible_line(connection.reason)] if connection.reason else []
    if connection.retry_at is not None:
        said.append(f"next try in {remaining(connection.retry_at, now)}")
    return Banner("warning", title, text, detail=" · ".join(said) or None)


def _sentence(error: ChatError) -> str:
    return visible_line(error.message)


def _primary(
    view: ChatView, connection: Connection, setup: FirstRun | None = None
) -> tuple[tuple[str, str, str], ...]:
    action = primary(view, connection, setup)
    return ((PRIMARY, action, LABELS[action]),) if action else ()


def _headline(error: ChatError) -> str:
    if error.kind == "config" and error.provider is None:
        return "No model to talk to"
    return HEADLINES[error.kind]


def retry_time(error: ChatError, now: datetime) -> datetime | None:
    """Return the earliest time for a retry if the error names a future one, else None."""
    return error.retry_at if error.retry_at is not None and error.retry_at > now else None


def _failed(
    view: ChatView,
    error: ChatError,
    keys: tuple[tuple[str, str, str], ...],
    now: datetime,
    show_detail: bool,
) -> Banner:
    code = " · ".join(part for part in (error.provider, str(error.status_code or "")) if part)
    detail = None
    if show_detail:
        parts = [error.detail, f"request {error.request_id}" if error.request_id else None]
        detail = visible_line(" · ".join(part for part in parts if part)) or None
    if view.resume_at is not None:
        waits = f"Tries again by itself in {remaining(view.resume_at, now)}."
        detail = f"{waits} {detail}" if detail else waits
    if (at := retry_time(error, now)) is not None and view.resume_at is None:
        keys = ((PRIMARY, "error.retry", f"try again in {remaining(at, now)}"),)
    keys += HELPS.get(error.kind, ())
    if error.detail or error.request_id:
        keys += (LESS_KEY if show_detail else DETAIL_KEY,)
    return Banner("error", _headline(error), _sentence(error), visible_line(code), detail, keys)
