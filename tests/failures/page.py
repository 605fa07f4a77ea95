"""Print docs/failures.md: every message about a failure on one page, to be read and judged.

`make docs` writes it, and a test fails when the document is stale. The messages come from the
daemon's classification, each from signals as a provider gives them; the keys from the banner of the
terminal client. Neither knows the other: this module combines them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from palaver.wire.chats import RetryInfo
from palaver.wire.errors import ChatError, FailureKind, SpendLimit
from palaver_tui.state.banner import Banner, banner
from palaver_tui.state.chat import ChatView
from palaver_tui.state.connection import Connection
from palaverd.failures import wording
from palaverd.failures.classify import classify
from palaverd.failures.retry import RetryPolicy
from palaverd.failures.signals import Signals

_AT = datetime(2025, 1, 1, 9, 30, tzinfo=UTC)
_LIMIT = SpendLimit(5_120_000, 5_000_000, datetime(2025, 2, 1, tzinfo=UTC))
_URL = "http://127.0.0.1:8080/v1/messages"
_CONNECTED = Connection("live")
_PROXY = {"proxy": "http://proxy.example:3128", "proxy_from": "HTTPS_PROXY"}


class Example(msgspec.Struct, frozen=True):
    """The cause of a message, and its signals."""

    when: str
    signals: Signals


def _seen(**fields: object) -> Signals:
    known = {"provider": "anthropic", "model": "sonnet", "key_hint": "ANTHROPIC_API_KEY"}
    return Signals(**(known | fields))  # type: ignore[arg-type]


EXAMPLES: dict[FailureKind, tuple[Example, ...]] = {
    "overloaded": (Example("overloaded", _seen(status=529)),),
    "loading": (
        Example("a model is being loaded", _seen(status=503, body_message="Loading model")),
    ),
    "rate_limit": (Example("too many requests", _seen(status=429)),),
    "timeout": (
        Example("the stream ended too early", _seen(status=200, stream_ended=True)),
        Example("the connection broke", _seen(exceptions=("ReadError",))),
        Example(
            "nothing listens there", _seen(exceptions=("ConnectError", "ConnectionRefusedError"))
        ),
        Example("no such host", _seen(exceptions=("ConnectError", "gaierror"))),
        Example(
            "a proxy does not listen",
            _seen(exceptions=("ConnectError", "ConnectionRefusedError"), **_PROXY),
        ),
        Example("no such proxy", _seen(exceptions=("ConnectError", "gaierror"), **_PROXY)),
        Example(
            "a proxy reaches nobody",
            _seen(exceptions=("ProxyError",), text="HTTP 503 Service Unavailable", **_PROXY),
        ),
        Example("a gateway says it is away", _seen(status=503)),
        Example("a gateway waited too long", _seen(status=504)),
    ),
    "startup_timeout": (Example("no first event", _seen(guard="startup", guard_seconds=60)),),
    "silence_timeout": (
        Example("no bytes", _seen(guard="silence", guard_seconds=120)),
        Example("only pings", _seen(guard="pings", guard_seconds=600)),
    ),
    "server_error": (
        Example("a server error", _seen(status=500)),
        Example(
            "llama.cpp's slots are full",
            _seen(status=500, body_message="Context size has been exceeded."),
        ),
        Example("an unreadable answer", _seen(status=200, malformed="json")),
        Example("an empty answer", _seen(terminal_event=True, empty=True)),
    ),
    "auth": (
        Example("a bad key", _seen(status=401)),
        Example("what cannot be a key", _seen(key_fault="it has more than one line")),
        Example("a key without this right", _seen(status=403)),
    ),
    "missing_key": (Example("no key", _seen(key_missing=True)),),
    "config": (
        Example("an unknown model", _seen(status=404, body_message="model: sonnet")),
        Example(
            "nobody who may answer",
            _seen(status=404, body_message="No endpoints found matching your data policy"),
        ),
        Example(
            "an answer may not be so long",
            _seen(status=400, body_message="max_tokens: 32000 > 8192, which is the maximum"),
        ),
        Example("an unknown path", _seen(status=404, url=_URL)),
        Example(
            "an address with /v1 twice",
            _seen(status=404, url="http://127.0.0.1:8080/v1/v1/messages"),
        ),
        Example(
            "an address with the whole path",
            _seen(status=404, url="http://127.0.0.1:8080/v1/messages/v1/messages"),
        ),
        Example(
            "an address without /v1",
            _seen(status=404, url="http://127.0.0.1:8080/chat/completions"),
        ),
        Example("https where http is spoken", _seen(text="[SSL: WRONG_VERSION_NUMBER]", url=_URL)),
        Example("a request it cannot take", _seen(status=400)),
        Example("a redirect", _seen(status=307, url=_URL)),
        Example("a web page", _seen(status=200, malformed="content_type")),
        Example("a bad certificate", _seen(exceptions=("SSLCertVerificationError",))),
        Example(
            "certificates that are not there",
            _seen(certificates="SSL_CERT_FILE names /etc/my-ca.pem, which is not there."),
        ),
        Example("a proxy that wants a password", _seen(status=407, **_PROXY)),
        Example("a proxy that refuses", _seen(status=403, body_message="<html>", **_PROXY)),
        Example(
            "a proxy of another kind",
            _seen(
                exceptions=("ProxyAddressError",),
                proxy="ftp://proxy.example",
                proxy_from="ALL_PROXY",
            ),
        ),
        Example("switched off", _seen(provider_disabled=True)),
    ),
    "context_overflow": (
        Example("too long", _seen(status=400, body_code="context_length_exceeded")),
        Example(
            "too long together with its answer",
            _seen(status=400, body_message="input length and `max_tokens` exceed context limit"),
        ),
    ),
    "usage_limit": (
        Example("an empty account", _seen(status=429, body_code="insufficient_quota")),
        Example("our own limit", _seen(spend_limit=_LIMIT)),
    ),
    "content_filter": (Example("refused", _seen(filtered=True)),),
    "generic": (
        Example("no file descriptor is left", _seen(no_descriptor=True)),
        Example("a bug", _seen()),
        Example("an answer without end", _seen(malformed="too_long")),
    ),
}

_HEAD = """\
# Error messages

Generated by `make docs` from the table in `palaverd/failures/classify.py`, the messages in
`palaverd/failures/wording.py`, and the keys that the terminal client offers
(`palaver_tui/state/banner.py`).

Whatever fails, sent messages are kept, and a partial answer is never taken for a complete one.
`palaver run` prints the same messages on standard error and exits with code 3 when a turn ends with
one of them; `--json` has them as fields. The interface shows a status code beside the message, and
F4 shows the provider's own message.

## Retried

After {base:.0f} s, then twice as long each time, at most {cap:.0f} s, with up to {jitter:.0%} on
top and never sooner than the provider asks; at most {attempts} attempts in {minutes:.0f} minutes.
Meanwhile a banner shows the message and a countdown. Its keys:
{keys}.
"""


def page() -> str:
    """Return the document."""
    policy = RetryPolicy()
    overloaded = classify(_seen(status=529))
    given_up = wording.given_up(overloaded, policy.max_attempts)
    return "\n".join(
        [
            _HEAD.format(
                base=policy.base,
                cap=policy.cap,
                jitter=policy.jitter,
                attempts=policy.max_attempts,
                minutes=policy.max_elapsed / 60,
                keys=_keys_while_waiting(overloaded),
            ),
            "| kind | when | message |",
            "| --- | --- | --- |",
            *(
                _row(f"`{kind}`", one.when, classify(one.signals).message)
                for kind, one in _examples(retryable=True)
            ),
            "",
            "If all attempts fail, the turn ends with that message and another sentence. Its keys:",
            f"{_keys(given_up)}.",
            "",
            f"> {given_up.message.removeprefix(overloaded.message).strip()}",
            "",
            "## Not retried",
            "",
            "These would fail again, so they end the turn.",
            "",
            "| kind | when | message | keys |",
            "| --- | --- | --- | --- |",
            *(_told(kind, one) for kind, one in _examples(retryable=False)),
            "",
            "## Between attempts, and instead of them",
            "",
            "| when | message | keys |",
            "| --- | --- | --- |",
            *_others(),
        ]
    )


def _examples(*, retryable: bool) -> Iterator[tuple[FailureKind, Example]]:
    for kind, examples in EXAMPLES.items():
        for one in examples:
            if classify(one.signals).retryable is retryable:
                yield kind, one


def _told(kind: FailureKind, one: Example) -> str:
    error = classify(one.signals)
    return _row(f"`{kind}`", one.when, error.message, _keys(error))


def _others() -> Iterator[str]:
    overloaded = classify(_seen(status=529))
    hint = classify(_seen(status=429, headers={"retry-after": "1500"}))
    later = wording.come_back_later(hint, _AT)
    empty = wording.empty_again(classify(_seen(terminal_event=True, empty=True)))
    loading = classify(_seen(status=503, body_message="Loading model"))
    never = wording.never_loaded(loading, 600)
    instead = wording.passed_on(overloaded, "gpt").message
    yield _row("another model stands in", instead, "as while it waits")
    yield _row("the provider asks for more than 10 minutes", later.message, _keys(later))
    yield _row("a model is not loaded within `startup_seconds`", never.message, _keys(never))
    yield _row("a second empty answer", empty.message, _keys(empty))


def _keys(error: ChatError) -> str:
    """Return the client's keys after a turn has ended with `error`."""
    return _written(banner(ChatView("a", status="error", error=error), _CONNECTED, _AT))


def _keys_while_waiting(error: ChatError) -> str:
    """Return the client's keys during the wait for the next attempt."""
    retry = RetryInfo(1, 10, 1000, _AT, error)
    return _written(banner(ChatView("a", status="running", retry=retry), _CONNECTED, _AT))


def _written(shown: Banner | None) -> str:
    assert shown is not None
    offered = [f"{keys.replace(' ', ' or ')}: {label}" for keys, _, label in shown.keys]
    return "; ".join(offered) or "–"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    print(page())  # noqa: T201 - this is what the module is for
