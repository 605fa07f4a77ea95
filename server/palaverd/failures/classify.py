"""Classify `Signals` as a `ChatError`: one ordered table, the first matching rule decides."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from palaver.servers.facts import Topic
from palaver.wire.errors import ChatError, FailureKind
from palaverd.failures import names, wording
from palaverd.failures.facts import Facts, read
from palaverd.failures.redact import detail
from palaverd.failures.signals import Signals

RETRYABLE: frozenset[FailureKind] = frozenset(
    {
        "overloaded",
        "loading",
        "rate_limit",
        "timeout",
        "startup_timeout",
        "silence_timeout",
        "server_error",
    }
)


class Rule(msgspec.Struct, frozen=True):
    """One row: the kind, its condition, and the reason for its place in the table."""

    kind: FailureKind
    when: Callable[[Facts], bool]
    because: str


def _named(codes: frozenset[str]) -> Callable[[Facts], bool]:
    return lambda facts: not codes.isdisjoint(facts.codes)


def _said(topic: Topic) -> Callable[[Facts], bool]:
    return lambda facts: facts.says(topic)


RULES: tuple[Rule, ...] = (
    # Known without asking the provider.
    Rule("missing_key", lambda f: f.signals.key_missing, "no request was made"),
    Rule("auth", lambda f: f.signals.key_fault is not None, "no request was made"),
    Rule("config", lambda f: f.signals.provider_disabled, "no request was made"),
    Rule("config", lambda f: f.signals.certificates is not None, "no request was made"),
    Rule(
        "usage_limit",
        lambda f: f.signals.spend_limit is not None,
        "our own limit, checked before the request",
    ),
    Rule(
        "generic",
        lambda f: f.signals.no_descriptor,
        "the provider was not even asked; whatever a library makes of it",
    ),
    Rule(
        "startup_timeout",
        lambda f: f.signals.guard == "startup",
        "we ended the attempt ourselves; what the library raised then is a consequence",
    ),
    Rule(
        "silence_timeout",
        lambda f: f.signals.guard is not None,
        "we ended the attempt ourselves; what the library raised then is a consequence",
    ),
    Rule(
        "timeout",
        lambda f: f.signals.stream_ended and not f.signals.terminal_event,
        "a clean end says nothing else, and its status is 200",
    ),
    # Failures of a proxy between us and the provider.
    Rule("config", lambda f: f.proxy_refused, "the provider was not reached, and would not be"),
    Rule("timeout", lambda f: f.proxy_in_vain, "the provider may be reached later"),
    # The provider's own load, also as an error inside a stream (status 200).
    Rule("overloaded", _named(names.OVERLOADED), "the type says so, whatever the status"),
    Rule("overloaded", lambda f: f.status == names.STATUS_OVERLOADED, "Anthropic's own status"),
    Rule("loading", _named(names.LOADING), "the type says so, whatever the status"),
    Rule(
        "loading",
        lambda f: f.status in (503, None) and f.says("loading"),
        "it will be ready; 503 alone is any outage",
    ),
    Rule(
        "overloaded", lambda f: f.status == 503 and f.says("overloaded"), "503 alone is any outage"
    ),
    # The message of a limit per minute may mention quota, too. An empty account has no wait time.
    Rule(
        "rate_limit",
        lambda f: f.status in (429, None) and f.asks_to_wait and _of_quota(f),
        "Gemini calls a limit per minute a quota",
    ),
    # Quota comes as 400, 403 or 429, but waiting does not help.
    Rule("usage_limit", _named(names.QUOTA), "beats 429: waiting does not fill an account"),
    Rule("usage_limit", lambda f: f.status == 402, "payment required"),
    Rule(
        "rate_limit",
        lambda f: f.says("quota") and f.body_wait_ms is not None,
        "a limit per day; the wait is told, and not waited for",
    ),
    Rule("usage_limit", _said("quota"), "Anthropic says an empty balance with a plain 400"),
    # With a wrong key, nothing else in the response matters.
    Rule("auth", lambda f: f.status == 401, "OpenAI gives 401 the type invalid_request_error"),
    Rule("auth", _named(names.AUTH), "some servers say it with 400 or 403"),
    Rule("auth", _said("auth"), "Google says it with 400"),
    # Requests that fail the same way every time beat 403, 429, 5xx and timeouts.
    Rule("content_filter", _named(names.FILTER), "Azure says it with 400"),
    Rule("content_filter", lambda f: f.signals.filtered, "a finish without content"),
    Rule("content_filter", _said("filter"), "Anthropic and OpenRouter have no code for it"),
    Rule("context_overflow", _named(names.CONTEXT), "a code says so"),
    Rule("context_overflow", lambda f: f.signals.window_exceeded, "a stop reason, no content"),
    Rule("server_error", _said("pool"), "what other answers hold now they give back"),
    Rule("config", _said("output"), "speaks of the context, too, into which `hi` would fit"),
    Rule("context_overflow", _said("context"), "Anthropic's only sign is the sentence"),
    Rule("context_overflow", lambda f: f.status == 413, "too many bytes: less history helps"),
    Rule("server_error", lambda f: f.signals.empty, "nothing was said, and nothing says why"),
    Rule("config", _named(names.CONFIG), "beats 403, 429 and 5xx: it fails again at once"),
    Rule("config", _said("policy"), "beats 404: it is known there, and not allowed"),
    Rule("config", _said("model"), "a 503 that says `no such model` must fail at once"),
    Rule("config", _said("config"), "the request is wrong, whatever the status"),
    Rule(
        "config",
        lambda f: f.status != 403 and not names.CONFIG_VAGUE.isdisjoint(f.codes),
        "the request is wrong, however it is numbered; OpenAI gives its 403 this type as well",
    ),
    Rule("config", lambda f: f.status in names.STATUS_CONFIG, "the request is wrong"),
    Rule("config", lambda f: f.is_elsewhere, "a wrong address stays wrong"),
    Rule(
        "config",
        lambda f: f.status is not None and 300 <= f.status < 400,
        "a redirect: base_url names another place than the interface",
    ),
    Rule("auth", lambda f: f.status == 403, "weak: after what speaks of model or request"),
    # Temporary failures.
    Rule("rate_limit", lambda f: f.status == 429, "no sign of quota or configuration"),
    Rule("rate_limit", _named(names.RATE), "inside a stream there is no status"),
    Rule("timeout", lambda f: f.status in names.STATUS_TIMEOUT, "a gateway or the server gave up"),
    Rule("timeout", _named(names.TIMEOUT), "inside a stream there is no status"),
    Rule("server_error", lambda f: f.status is not None and f.status >= 500, "any other 5xx"),
    Rule("server_error", _named(names.SERVER), "inside a stream there is no status"),
    Rule("server_error", lambda f: f.signals.malformed == "json", "the server broke its protocol"),
    Rule(
        "timeout",
        lambda f: f.status is None and f.signals.cancelled_by_library,
        "a cancellation that nobody asked for is a reset by the transport",
    ),
    Rule(
        "timeout",
        lambda f: f.status is None and not names.TRANSPORT.isdisjoint(f.classes),
        "the connection failed; an answer with a status was judged by its status",
    ),
    # Text is searched last.
    Rule("rate_limit", lambda f: f.status is None and f.says("rate"), "only the text says so"),
    Rule(
        "overloaded", lambda f: f.status is None and f.says("overloaded"), "only the text says so"
    ),
    Rule("timeout", lambda f: f.status is None and f.says("timeout"), "only the text says so"),
    Rule("server_error", lambda f: f.status is None and f.says("server"), "only the text says so"),
    Rule(
        "server_error",
        lambda f: f.signals.reported,
        "an error inside a stream that began well is the server's, whatever it says",
    ),
    Rule("generic", lambda _: True, "everything else, our own bugs included"),
)


def _of_quota(facts: Facts) -> bool:
    return not names.QUOTA.isdisjoint(facts.codes) or facts.says("quota")


def classify(signals: Signals) -> ChatError:
    """Return the classified error of a failure. Never raises."""
    facts = read(signals)
    kind = next(rule.kind for rule in RULES if rule.when(facts))
    return ChatError(
        kind=kind,
        message=wording.sentence(kind, facts),
        detail=detail(signals.body_message or signals.text),
        provider=signals.provider,
        model=signals.model,
        status_code=facts.status,
        # The only `generic` failure that is known to be temporary.
        retryable=kind in RETRYABLE or signals.no_descriptor,
        retry_after_ms=facts.retry_after_ms,
        limit=signals.spend_limit,
        request_id=detail(signals.request_id),
    )
