"""Signals to `ChatError`: one ordered table, the first rule that matches decides."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from palaver.wire.errors import ChatError, FailureAction, FailureKind
from palaverd.failures import names, wording
from palaverd.failures.redact import detail
from palaverd.failures.retry_after import retry_after_ms
from palaverd.failures.signals import Signals

RETRYABLE: frozenset[FailureKind] = frozenset(
    {"overloaded", "rate_limit", "timeout", "startup_timeout", "silence_timeout", "server_error"}
)

# What helps a person once the turn has ended with this kind.
ACTIONS: dict[FailureKind, FailureAction | None] = {
    "overloaded": "retry",
    "rate_limit": "retry",
    "timeout": "retry",
    "startup_timeout": "retry",
    "silence_timeout": "retry",
    "server_error": "retry",
    "auth": "edit_key",
    "missing_key": "edit_key",
    "config": "open_settings",
    "context_overflow": "compact",
    "usage_limit": "open_settings",
    "content_filter": None,
    "generic": "retry",
}

# A bound on the text that is searched: a sentence or two say it, the rest is a web page.
_SEARCHED = 4096


class Facts(msgspec.Struct, frozen=True):
    """Signals, read once for all rules.

    `status` is an error status (300 and above) or None; `codes` are the body's type and code in
    lower case; `words` is the text that may be searched, in lower case, empty where a type or
    code has already said what happened.
    """

    signals: Signals
    status: int | None
    codes: frozenset[str]
    classes: frozenset[str]
    words: str


class Rule(msgspec.Struct, frozen=True):
    """One row: the kind, when it applies, and why it stands where it stands."""

    kind: FailureKind
    when: Callable[[Facts], bool]
    because: str


def _named(codes: frozenset[str]) -> Callable[[Facts], bool]:
    return lambda facts: not codes.isdisjoint(facts.codes)


RULES: tuple[Rule, ...] = (
    # Our own knowledge: nothing that a provider says can be better.
    Rule("missing_key", lambda f: f.signals.key_missing, "no request was made"),
    Rule("config", lambda f: f.signals.provider_disabled, "no request was made"),
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
    # The provider's own load, also inside a stream that began well (status 200).
    Rule("overloaded", _named(names.OVERLOADED), "the type says so, whatever the status"),
    Rule("overloaded", lambda f: f.status == names.STATUS_OVERLOADED, "Anthropic's own status"),
    Rule(
        "overloaded",
        lambda f: f.status == 503 and names.TEXT_OVERLOADED.search(f.words) is not None,
        "503 alone is any outage",
    ),
    # Quota comes as 400, 403 or 429, but waiting does not help.
    Rule("usage_limit", _named(names.QUOTA), "beats 429: waiting does not fill an account"),
    Rule("usage_limit", lambda f: f.status == 402, "payment required"),
    Rule(
        "usage_limit",
        lambda f: names.TEXT_QUOTA.search(f.words) is not None,
        "Anthropic says an empty balance with a plain 400",
    ),
    # A key that is wrong makes everything else in the answer meaningless.
    Rule("auth", lambda f: f.status == 401, "OpenAI gives 401 the type invalid_request_error"),
    Rule("auth", _named(names.AUTH), "some servers say it with 400 or 403"),
    Rule("auth", lambda f: names.TEXT_AUTH.search(f.words) is not None, "Google says it with 400"),
    # Requests that fail the same way every time beat 403, 429, 5xx and timeouts.
    Rule("context_overflow", _named(names.CONTEXT), "a code says so"),
    Rule("context_overflow", lambda f: f.signals.window_exceeded, "a stop reason, no content"),
    Rule(
        "context_overflow",
        lambda f: names.TEXT_CONTEXT.search(f.words) is not None,
        "Anthropic's only sign is the sentence",
    ),
    Rule("context_overflow", lambda f: f.status == 413, "too many bytes: less history helps"),
    Rule("content_filter", _named(names.FILTER), "Azure says it with 400"),
    Rule("content_filter", lambda f: f.signals.filtered, "a finish without content"),
    Rule("server_error", lambda f: f.signals.empty, "nothing was said, and nothing says why"),
    Rule("config", _named(names.CONFIG), "beats 403, 429 and 5xx: it fails again at once"),
    Rule(
        "config",
        lambda f: names.TEXT_CONFIG.search(f.words) is not None,
        "a 503 that says `no such model` must fail at once",
    ),
    Rule(
        "config",
        lambda f: f.status != 403 and not names.CONFIG_VAGUE.isdisjoint(f.codes),
        "the request is wrong, however it is numbered; OpenAI gives its 403 this type as well",
    ),
    Rule("config", lambda f: f.status in names.STATUS_CONFIG, "the request is wrong"),
    Rule(
        "config", lambda f: not names.ADDRESS.isdisjoint(f.classes), "a wrong address stays wrong"
    ),
    Rule(
        "config",
        lambda f: f.status is not None and 300 <= f.status < 400,
        "a redirect: base_url names another place than the interface",
    ),
    Rule(
        "config",
        lambda f: f.signals.malformed == "content_type" and f.status is None and not f.codes,
        "a web page with status 200: base_url names something else",
    ),
    Rule("auth", lambda f: f.status == 403, "weak: after what speaks of model or request"),
    # What passes by itself.
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
    # Sentences are the last resort.
    Rule("rate_limit", lambda f: _unnumbered(f, names.TEXT_RATE), "only the text says so"),
    Rule("overloaded", lambda f: _unnumbered(f, names.TEXT_OVERLOADED), "only the text says so"),
    Rule("timeout", lambda f: _unnumbered(f, names.TEXT_TIMEOUT), "only the text says so"),
    Rule("generic", lambda _: True, "everything else, our own bugs included"),
)


def classify(signals: Signals) -> ChatError:
    """Return what a failure is. Raises nothing, whatever it is given."""
    facts = read(signals)
    kind = next(rule.kind for rule in RULES if rule.when(facts))
    return ChatError(
        kind=kind,
        message=wording.sentence(kind, signals, facts.classes),
        detail=detail(signals.body_message or signals.text),
        provider=signals.provider,
        model=signals.model,
        status_code=facts.status,
        # Of what is `generic`, only this is known to pass.
        retryable=kind in RETRYABLE or signals.no_descriptor,
        retry_after_ms=retry_after_ms(signals.headers, signals.at),
        limit=signals.spend_limit,
        request_id=detail(signals.request_id),
        action=ACTIONS[kind],
    )


def read(signals: Signals) -> Facts:
    """Read signals into what the rules ask for."""
    codes = frozenset(
        word.strip().lower() for word in (signals.body_type, signals.body_code) if word
    )
    words = ""
    if names.SPECIFIC.isdisjoint(codes):
        words = f"{signals.body_message or ''}\n{signals.text}"[:_SEARCHED].lower()
    return Facts(
        signals=signals,
        status=_status(signals, words),
        codes=codes,
        classes=frozenset(signals.exceptions),
        words=words,
    )


def _status(signals: Signals, words: str) -> int | None:
    if signals.status is not None and 300 <= signals.status <= 599:
        return signals.status
    # Compatible servers put the status into the error's code, in a body or inside a stream.
    for code in (signals.body_code, signals.body_type):
        if code is not None and len(code) == 3 and code.isascii() and code.isdigit():
            number = int(code)
            return number if 400 <= number <= 599 else None
    if signals.body_type is None and signals.body_code is None:
        found = names.TEXT_STATUS.search(words)
        if found is not None:
            return int(found[1])
    return None


def _unnumbered(facts: Facts, phrases: re.Pattern[str]) -> bool:
    return facts.status is None and phrases.search(facts.words) is not None
