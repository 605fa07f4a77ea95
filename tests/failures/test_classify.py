"""The classification table, row by row, and properties for any input."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaver.wire.errors import KINDS, ChatError, SpendLimit
from palaverd.failures import Signals, classify
from palaverd.failures.classify import RETRYABLE, RULES
from palaverd.failures.wording import SENTENCES

LIMIT = SpendLimit(5_000_000, 5_000_000, datetime(2025, 2, 1, tzinfo=UTC))


def s(**fields: Any) -> Signals:
    return Signals(provider="anthropic", model="sonnet", key_hint="ANTHROPIC_API_KEY", **fields)


# Signals, and their kind. Grouped by kind, in the order of the rules.
ROWS: dict[str, list[tuple[str, Signals]]] = {
    "missing_key": [("no key", s(key_missing=True))],
    "startup_timeout": [("guard", s(guard="startup", exceptions=("CancelledError",)))],
    "silence_timeout": [
        ("no bytes", s(guard="silence", status=200)),
        ("pings only", s(guard="pings", status=200)),
        ("guard beats what the library made of it", s(guard="silence", exceptions=("ReadError",))),
    ],
    "loading": [
        ("llama.cpp", s(status=503, body_message="Loading model")),
        ("in a stream", s(status=200, body_message="Model bloom is currently loading")),
        ("type", s(status=500, body_type="model_loading")),
    ],
    "overloaded": [
        ("529", s(status=529)),
        ("529 without a body", s(status=529, body_message="")),
        ("type, status 200: inside a stream", s(status=200, body_type="overloaded_error")),
        ("type beats 500", s(status=500, body_type="overloaded_error")),
        ("503 that says so", s(status=503, body_message="The engine is currently overloaded")),
        ("503 slow down", s(status=503, body_message="Slow down")),
        ("only text", s(exceptions=("SomeError",), text="model is overloaded")),
        (
            "text that speaks of models changes nothing",
            s(status=529, body_type="overloaded_error", body_message="model x not found"),
        ),
    ],
    "rate_limit": [
        ("429", s(status=429)),
        ("type in a stream", s(status=200, body_type="rate_limit_error")),
        ("code in a stream", s(body_code="rate_limit_exceeded")),
        (
            "text about prompt length changes nothing",
            s(
                status=429,
                body_type="rate_limit_error",
                body_message="would exceed the rate limit; the prompt is too long for it",
            ),
        ),
        ("code is a status", s(status=200, body_code="429")),
        ("status in text", s(text="HTTP 429 from upstream")),
        ("only text", s(status=200, body_message="Rate limit reached")),
        (
            "Gemini's limit per minute says quota, and to wait",
            s(status=429, body_message="You exceeded your current quota. Please retry in 3.07s."),
        ),
        (
            "the same with a field, and a code of an empty account",
            s(status=429, body_code="insufficient_quota", body_wait_ms=3000),
        ),
        (
            "a limit per day that tells its wait",
            s(status=429, body_message="You exceeded your current quota. Please retry in 20h2m."),
        ),
    ],
    "usage_limit": [
        ("our own limit", s(spend_limit=LIMIT)),
        ("insufficient_quota counts under 429", s(status=429, body_code="insufficient_quota")),
        ("quota as type", s(status=429, body_type="insufficient_quota")),
        ("402", s(status=402)),
        ("billing_error", s(status=403, body_type="billing_error")),
        (
            "balance, told by text only",
            s(
                status=400,
                body_type="invalid_request_error",
                body_message="Your credit balance is too low to access the Anthropic API.",
            ),
        ),
    ],
    "auth": [
        ("401", s(status=401)),
        ("401 of OpenAI", s(status=401, body_type="invalid_request_error")),
        ("403", s(status=403)),
        ("403 of OpenAI", s(status=403, body_type="invalid_request_error")),
        ("403 permission", s(status=403, body_type="permission_error", body_message="Forbidden")),
        ("400 with key wording", s(status=400, body_message="API key not valid. Pass another.")),
        ("type in a stream", s(status=200, body_type="authentication_error")),
        ("what cannot be a key", s(key_fault="it has more than one line")),
    ],
    "context_overflow": [
        ("code", s(status=400, body_code="context_length_exceeded")),
        (
            "Anthropic: only the sentence tells",
            s(
                status=400,
                body_type="invalid_request_error",
                body_message="prompt is too long: 210000 tokens > 200000 maximum",
            ),
        ),
        ("beats 5xx", s(status=500, body_message="maximum context length is 8192 tokens")),
        ("beats 403", s(status=403, body_message="maximum context length is 8192 tokens")),
        ("413", s(status=413)),
        ("llama.cpp", s(status=400, body_type="exceed_context_size_error")),
        ("stop reason without content", s(status=200, window_exceeded=True)),
    ],
    "content_filter": [
        ("finish without content", s(status=200, filtered=True)),
        ("Azure", s(status=400, body_code="content_filter")),
        (
            "Anthropic, inside a stream",
            s(
                status=200,
                body_type="api_error",
                body_message="Output blocked by content filtering policy",
            ),
        ),
        ("OpenRouter", s(status=403, body_message="x requires moderation on OpenRouter")),
    ],
    "config": [
        ("400", s(status=400)),
        ("404", s(status=404, body_type="not_found_error", body_message="model: x")),
        ("422", s(status=422, body_message="[{'loc': ['body', 'model']}]")),
        ("503, no such model", s(status=503, body_message="no such model")),
        ("403 about the model", s(status=403, body_message="Model gpt-9 does not exist")),
        ("429 about the model", s(status=429, body_message="unknown model")),
        ("504 about a parameter", s(status=504, body_message="unsupported parameter: top_k")),
        ("500 with a config code", s(status=500, body_code="model_not_found")),
        ("redirect", s(status=307)),
        ("web page with 200", s(status=200, malformed="content_type")),
        ("bad address", s(exceptions=("UnsupportedProtocol", "TransportError"))),
        ("bad certificate", s(exceptions=("ConnectError", "SSLCertVerificationError"))),
        ("switched off", s(provider_disabled=True)),
        ("https to http", s(exceptions=("ConnectError",), text="[SSL: WRONG_VERSION_NUMBER]")),
        ("the answer's length", s(status=400, body_message="max_tokens: 32000 > 8192")),
        ("nobody may answer", s(status=404, body_message="No endpoints found for your policy")),
        ("certificates", s(certificates="SSL_CERT_FILE names /x, which is not there.")),
        ("407", s(status=407)),
        ("a proxy that refuses", s(exceptions=("ProxyError",), text="403 Forbidden", proxy="p")),
    ],
    "timeout": [
        ("408", s(status=408)),
        ("502", s(status=502, body_message="<html>Bad Gateway</html>")),
        ("503", s(status=503)),
        ("504", s(status=504)),
        ("refused", s(exceptions=("APIConnectionError", "ConnectError", "ConnectionRefusedError"))),
        ("DNS", s(exceptions=("APIConnectionError", "ConnectError", "gaierror"))),
        ("reset", s(status=200, exceptions=("ReadError", "ConnectionResetError"))),
        ("clean end without the terminal event", s(status=200, stream_ended=True)),
        (
            "library's own cancellation",
            s(exceptions=("CancelledError",), cancelled_by_library=True),
        ),
        ("type", s(status=200, body_type="timeout_error")),
        ("only text", s(text="connection reset by peer")),
        ("a proxy in vain", s(exceptions=("ProxyError",), text="503 Unavailable", proxy="p")),
    ],
    "server_error": [
        ("an empty answer", s(terminal_event=True, empty=True)),
        ("500", s(status=500)),
        ("501", s(status=501)),
        ("cancelled with a status: the status", s(status=500, cancelled_by_library=True)),
        ("type in a stream", s(status=200, body_type="api_error")),
        (
            "llama.cpp's shared context",
            s(status=500, body_type="server_error", body_message="Context size has been exceeded."),
        ),
        ("a dead runner", s(text="CUDA out of memory")),
        ("whatever is said inside a stream", s(status=200, reported=True, body_message="oops")),
        ("unreadable event", s(status=200, malformed="json", exceptions=("DecodeError",))),
    ],
    "generic": [
        ("nothing known", s()),
        ("no descriptor for the connection", s(no_descriptor=True, exceptions=("ConnectError",))),
        ("a bug of ours", s(exceptions=("KeyError", "LookupError"), text="'x'")),
        ("ended after the terminal event", s(stream_ended=True, terminal_event=True)),
        ("an event beyond all bounds", s(status=200, malformed="too_long")),
        ("number in a port", s(text="cannot talk to 10.0.0.1:503")),
        ("number in an id", s(text="request req-429-xyz")),
        ("number in a duration", s(text="status 503 ms")),
        ("number as an amount", s(text="used 429 tokens")),
        ("418", s(status=418)),
    ],
}
CASES = [
    pytest.param(kind, signals, id=f"{kind}: {name}")
    for kind, rows in ROWS.items()
    for name, signals in rows
]


@pytest.mark.parametrize(("kind", "signals"), CASES)
def test_signals_are_classified(kind: str, signals: Signals) -> None:
    error = classify(signals)
    assert error.kind == kind
    assert error.retryable is (kind in RETRYABLE or signals.no_descriptor)


def test_every_kind_has_a_row_a_sentence_and_an_action() -> None:
    assert set(ROWS) == set(SENTENCES) == KINDS


def test_every_rule_is_the_one_that_decides_some_row() -> None:
    from palaverd.failures.facts import read

    deciding = set()
    for rows in ROWS.values():
        for _, signals in rows:
            facts = read(signals)
            deciding.add(next(i for i, rule in enumerate(RULES) if rule.when(facts)))
    idle = [RULES[i] for i in range(len(RULES)) if i not in deciding]
    assert not [rule for rule in idle if rule.because != "only the text says so"], idle


def test_the_error_carries_what_the_provider_said() -> None:
    error = classify(
        s(
            status=529,
            body_type="overloaded_error",
            body_message="Overloaded",
            request_id="req_1",
            headers={"retry-after": "3"},
        )
    )
    assert error == ChatError(
        kind="overloaded",
        message="Anthropic is overloaded.",
        detail="Overloaded",
        provider="anthropic",
        model="sonnet",
        status_code=529,
        retryable=True,
        retry_after_ms=3000,
        request_id="req_1",
    )


def test_a_success_status_is_not_shown_as_the_status_of_a_failure() -> None:
    assert classify(s(status=200, body_type="overloaded_error")).status_code is None


def test_sentences_name_the_place_of_the_key() -> None:
    assert "ANTHROPIC_API_KEY" in classify(s(status=401)).message
    assert "ANTHROPIC_API_KEY" in classify(s(key_missing=True)).message


@pytest.mark.parametrize(("kind", "signals"), CASES)
def test_sentences_are_plain(kind: str, signals: Signals) -> None:
    message = classify(signals).message
    assert message.endswith((".", "?"))
    assert "None" not in message
    assert "Error" not in message
    # `palaver run` prints it too, where there are no keys to press.
    assert "press" not in message.lower()
    if signals.status:
        assert str(signals.status) not in message


words = st.text(max_size=40)
maybe = st.none() | words
statuses = st.none() | st.integers(-1000, 100_000) | st.sampled_from([200, 401, 429, 500, 529])
anything = st.builds(
    Signals,
    provider=words,
    model=maybe,
    key_hint=maybe,
    at=st.none() | st.datetimes(timezones=st.just(UTC)),
    status=statuses,
    headers=st.dictionaries(
        st.sampled_from(["retry-after", "retry-after-ms", "date", "content-type"]),
        words
        | st.floats().map(str)
        | st.datetimes().map(lambda d: f"{d:%a, %d %b %Y %H:%M:%S} GMT"),
    ),
    request_id=maybe,
    body_type=maybe | st.sampled_from(["overloaded_error", "invalid_request_error", "²99"]),
    body_code=maybe | st.integers(-10, 10_000).map(str),
    body_wait_ms=st.none() | st.integers(0, 10**12),
    reported=st.booleans(),
    url=maybe,
    proxy=maybe,
    proxy_from=maybe,
    certificates=maybe,
    key_fault=maybe,
    body_message=st.none() | st.text(alphabet=st.characters(), max_size=200),
    exceptions=st.lists(words | st.just("ReadError"), max_size=4).map(tuple),
    text=st.text(alphabet=st.characters(), max_size=200),
    guard=st.sampled_from([None, "startup", "silence", "pings"]),
    guard_seconds=st.none() | st.floats(0, 1e9),
    stream_ended=st.booleans(),
    terminal_event=st.booleans(),
    cancelled_by_library=st.booleans(),
    malformed=st.sampled_from([None, "content_type", "json", "too_long"]),
    filtered=st.booleans(),
    empty=st.booleans(),
    window_exceeded=st.booleans(),
    key_missing=st.booleans(),
    provider_disabled=st.booleans(),
    spend_limit=st.none() | st.just(LIMIT),
)


@given(anything)
def test_classification_never_raises_and_never_invents_a_kind(signals: Signals) -> None:
    error = classify(signals)
    assert error.kind in KINDS
    assert error.message
    assert error.detail is None or len(error.detail) <= 500
    assert error.retry_after_ms is None or error.retry_after_ms >= 0
    # Stored and sent unchanged.
    stored = msgspec.json.encode(error)
    assert msgspec.json.decode(stored, type=ChatError) == error
    assert msgspec.json.decode(stored).keys() == set(ChatError.__struct_fields__)


def test_half_a_surrogate_pair_can_be_stored() -> None:
    msgspec.json.encode(classify(s(status=500, body_message="broken \ud800 text")))
