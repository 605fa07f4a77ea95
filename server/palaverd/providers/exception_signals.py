"""Convert exceptions to signals: the only module that inspects exceptions of vendors' SDKs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import msgspec

from palaverd.failures.names import GARBLED
from palaverd.failures.redact import redact
from palaverd.failures.retry_after import wait_in_fields
from palaverd.failures.signals import HEADERS, MAX_BODY_BYTES, Guard, Malformed, Signals
from palaverd.platform.descriptors import none_left
from palaverd.providers.certificates import CertificatesError
from palaverd.providers.errors import (
    AnswerTooLongError,
    BadKeyError,
    FilteredError,
    MalformedEventError,
    NoKeyError,
    NotAStreamError,
    StreamEndedError,
    StreamFailedError,
    WindowExceededError,
)
from palaverd.providers.sse import EventTooLongError
from palaverd.providers.terms import Refusal

if TYPE_CHECKING:
    import httpx2

# Depth of the cause chain; deeper causes repeat what is above them.
_DEPTH = 8
# Base classes of every exception.
_PLAIN = frozenset({"object", "BaseException", "Exception"})
_REQUEST_ID_HEADERS = ("request-id", "x-request-id", "cf-ray")


class Caller(msgspec.Struct, frozen=True):
    """The provider of a call: its configured name, the source of its key, and the secrets to mask.

    `proxy` is the proxy of the call, without a password, and `proxy_from` the variable that names
    it.
    """

    provider: str
    key_hint: str | None = None
    secrets: tuple[str, ...] = ()
    proxy: str | None = None
    proxy_from: str | None = None


def refusal_of(error: BaseException | None) -> Refusal | None:
    """Return the status and text of a refused request; None if `error` is something else."""
    status = getattr(error, "status_code", None)
    if not isinstance(status, int):
        return None
    body = getattr(error, "body", None)
    # The SDKs' messages begin with the status, which must not be read as a limit.
    said = str(error).removeprefix(f"Error code: {status}")
    return Refusal(status, f"{said} {body}"[:MAX_BODY_BYTES])


class ErrorFields(msgspec.Struct, frozen=True):
    """The fields of a decoded error."""

    type: str | None = None
    code: str | None = None
    message: str | None = None
    request_id: str | None = None
    wait_ms: int | None = None


def signals_from(
    error: BaseException,
    *,
    caller: Caller,
    model: str | None,
    at: datetime,
    response: httpx2.Response | None = None,
    guard: Guard | None = None,
    guard_seconds: float | None = None,
    cancelled_by_library: bool = False,
) -> Signals:
    """Return the signals of an exception of a model call. `response` is its response, if any.

    `guard` is our guard that ended the call; `cancelled_by_library` says that `error` is a
    cancellation that this program did not request.
    """
    chain = list(_chain(error))
    status, response = _answer(chain, response)
    headers = _headers(response)
    fields = ErrorFields()
    if not _too_long(response):
        fields = next((f for e in chain if (f := _fields_of(e)) is not None), fields)

    def clean(text: str | None) -> str | None:
        return redact(text, caller.secrets) if text else None

    return Signals(
        provider=caller.provider,
        model=model,
        key_hint=caller.key_hint,
        at=at,
        status=status,
        headers={name: value for name, value in headers.items() if name in HEADERS},
        request_id=clean(fields.request_id or _request_id(headers)),
        body_type=clean(fields.type),
        body_code=clean(fields.code),
        body_message=clean(fields.message),
        body_wait_ms=fields.wait_ms,
        reported=_is(chain, StreamFailedError),
        url=clean(_asked(chain, response)),
        proxy=caller.proxy,
        proxy_from=caller.proxy_from,
        certificates=_certificates(chain),
        exceptions=tuple(
            dict.fromkeys(
                cls.__name__ for e in chain for cls in type(e).__mro__ if cls.__name__ not in _PLAIN
            )
        ),
        text=clean(_text(chain)) or "",
        guard=guard,
        guard_seconds=guard_seconds,
        stream_ended=_is(chain, StreamEndedError),
        cancelled_by_library=cancelled_by_library,
        malformed=_malformed(chain),
        filtered=_is(chain, FilteredError),
        window_exceeded=_is(chain, WindowExceededError),
        no_descriptor=any(map(none_left, chain)),
        key_missing=_is(chain, NoKeyError),
        key_fault=str(chain[0]) if _is(chain, BadKeyError) else None,
    )


def error_fields(body: Any) -> ErrorFields | None:
    """Return the fields of an error body, in any known form; None if it is no error.

    Anthropic and OpenAI: `{"error": {"type", "code", "message"}}`; the OpenAI SDK provides the
    inner object; Google wraps it in a list. Others: `{"error": "…"}`, `{"detail": …}`, `{"message":
    …}`, `{"errors": […]}`, plain text. OpenRouter has the provider's message in `metadata.raw`,
    beside a generic one of its own.
    """
    if isinstance(body, bytes):
        body = body[: MAX_BODY_BYTES + 1].decode("utf-8", "replace")
    if isinstance(body, str):
        return _plain(body)
    wait_ms = wait_in_fields(body)
    if isinstance(body, list) and body:
        body = body[0]
    if not isinstance(body, Mapping):
        return None
    inner = body.get("error", body)
    if isinstance(inner, str):
        inner = {"message": inner}
    if not isinstance(inner, Mapping):
        return None
    message = inner.get("message")
    if message is None:
        message = inner.get("detail", inner.get("errors"))
    metadata = inner.get("metadata")
    raw = _word(metadata.get("raw")) if isinstance(metadata, Mapping) else None
    told = ": ".join(part for part in (_word(message), raw) if part)
    details = inner.get("details")
    code = inner.get("code")
    if code is None and isinstance(details, Mapping):
        code = details.get("error_code")
    fields = ErrorFields(
        type=_word(inner.get("type")),
        code=_word(code),
        message=told[:MAX_BODY_BYTES] or None,
        request_id=_word(body.get("request_id")),
        wait_ms=wait_ms,
    )
    return None if fields == ErrorFields() else fields


def _plain(text: str) -> ErrorFields | None:
    if not text or len(text) > MAX_BODY_BYTES:
        return None
    try:
        decoded = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ErrorFields(message=text)
    return ErrorFields(message=text) if isinstance(decoded, str) else error_fields(decoded)


def _word(value: Any) -> str | None:
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, (str, int, float)):
        return str(value)[:MAX_BODY_BYTES] or None
    # FastAPI's `detail` is a list of objects.
    try:
        return msgspec.json.encode(value)[:MAX_BODY_BYTES].decode("utf-8", "replace")
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.EncodeError):
        return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield `error` and its causes, including members of groups, each once."""
    seen: set[int] = set()
    waiting = [error]
    while waiting and len(seen) < _DEPTH:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        if isinstance(one, BaseExceptionGroup):
            waiting.extend(one.exceptions)
        # Suppressed contexts, too: httpcore2's pool raises `from None`, which hides the reason
        # of a failed connection.
        cause = one.__cause__ or one.__context__
        if cause is not None:
            waiting.append(cause)


def _answer(chain: list[BaseException], response: httpx2.Response | None) -> tuple[int | None, Any]:
    """Return status and response: those of the SDK's exception, else the stream's."""
    for one in chain:
        status = _attribute(one, "status_code")
        if isinstance(status, int):
            return status, _attribute(one, "response") or response
    return _attribute(response, "status_code"), response


def _fields_of(error: BaseException) -> ErrorFields | None:
    return error_fields(_attribute(error, "body"))


def _attribute(thing: object, name: str) -> Any:
    """Return an attribute, None if it is missing or cannot be read."""
    try:
        return getattr(thing, name, None)
    except Exception:  # noqa: BLE001 - a foreign property, read to report an error
        return None


def _certificates(chain: list[BaseException]) -> str | None:
    return next((str(one) for one in chain if isinstance(one, CertificatesError)), None)


def _asked(chain: list[BaseException], response: Any) -> str | None:
    """Return the requested URL, without user, password and query; None if there is none."""
    for thing in (response, *chain):
        url = _attribute(_attribute(thing, "request"), "url")
        if url is not None:
            try:
                parts = urlsplit(str(url))
            except ValueError:
                continue
            host = parts.netloc.rpartition("@")[2]
            return urlunsplit((parts.scheme, host, parts.path, "", ""))
    return None


def _headers(response: Any) -> dict[str, str]:
    """Return a response's headers with lower-case names."""
    headers = _attribute(response, "headers")
    if not isinstance(headers, Mapping):
        return {}
    return {str(name).lower(): str(value) for name, value in headers.items()}


def _too_long(response: Any) -> bool:
    """Return whether a body was read that is too long for an error message."""
    # Raises if the body was not read, as a stream's.
    content = _attribute(response, "content")
    return isinstance(content, bytes) and len(content) > MAX_BODY_BYTES


def _request_id(headers: Mapping[str, str]) -> str | None:
    return next((headers[name] for name in _REQUEST_ID_HEADERS if name in headers), None)


def _said(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - the class is still known
        return ""


def _text(chain: list[BaseException]) -> str:
    said = dict.fromkeys(text for e in chain if (text := _said(e)))
    return ": ".join(said) if sum(map(len, said)) <= MAX_BODY_BYTES else ""


def _is(chain: list[BaseException], kind: type[BaseException]) -> bool:
    return isinstance(chain[0], kind)


def _malformed(chain: list[BaseException]) -> Malformed | None:
    if _is(chain, NotAStreamError):
        return "content_type"
    if isinstance(chain[0], (EventTooLongError, AnswerTooLongError)):
        return "too_long"
    # msgspec's and json's errors and bad UTF-8 are ValueErrors all.
    broken = (MalformedEventError, msgspec.DecodeError, UnicodeDecodeError)
    garbled = any(type(one).__name__ in GARBLED for one in chain)
    return "json" if isinstance(chain[0], broken) or garbled else None
