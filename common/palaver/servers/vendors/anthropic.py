"""Facts about Anthropic's own service."""

from __future__ import annotations

from palaver.servers.facts import (
    Codes,
    Mark,
    Says,
    Server,
    Source,
    Want,
    Words,
    reported,
)

_USERS = reported("by users of it, as a sentence only")
_ANTHROPIC_529 = Source("https://docs.llmgateway.io/troubleshooting/anthropic-529-overloaded")
_ANTHROPIC_LONG = Source("https://portkey.ai/error-library/input-length-error-10153")
_ANTHROPIC_CREDIT = Source("https://portkey.ai/error-library/insufficient-balance-error-10489")
_ANTHROPIC_LIMIT = Source(
    "https://learn.microsoft.com/es-es/microsoft-cloud/dev/dev-proxy/concepts/"
    "anthropic-529-overloaded-error"
)
_ANTHROPIC_BOTH = Source("https://github.com/strands-agents/sdk-python/pull/1078", "2025-10")
_ANTHROPIC_SDK = Source("github.com/anthropics/anthropic-sdk-python src/anthropic/types", "2.11.0")

ANTHROPIC = Server(
    name="Anthropic",
    slug="anthropic",
    place="vendor",
    protocol="anthropic",
    base_url="https://api.anthropic.com",
    key="ANTHROPIC_API_KEY",
    marks=(Mark("host", "api.anthropic.com", _ANTHROPIC_SDK),),
    wants=(Want("reasoning", "returned", _ANTHROPIC_SDK),),
    frame="messages",
    says=(
        Says(
            topic="overloaded",
            pattern=r"\boverloaded\b",
            said="Overloaded",
            source=_ANTHROPIC_529,
            status=529,
            type="overloaded_error",
        ),
        Says(
            topic="context",
            pattern=r"prompt is too long",
            said="prompt is too long: 213462 tokens > 200000 maximum",
            source=_ANTHROPIC_LONG,
            status=400,
            type="invalid_request_error",
        ),
        Says(
            topic="context",
            pattern=r"input length and `?max_tokens`? exceed",
            said="input length and `max_tokens` exceed context limit: 190000 + 32000 > 200000",
            source=_ANTHROPIC_BOTH,
        ),
        Says(
            topic="quota",
            pattern=r"credit balance is too low",
            said="Your credit balance is too low to access the Anthropic API.",
            source=_ANTHROPIC_CREDIT,
            status=400,
            type="invalid_request_error",
        ),
        Says(
            topic="quota",
            pattern=r"\busage limits?\b.{0,40}\breached\b|\breached\b.{0,40}\busage limits?\b",
            said="You have reached your specified API usage limits.",
            source=_ANTHROPIC_LIMIT,
        ),
        Says(
            topic="auth",
            pattern=r"(?:invalid|incorrect|expired|revoked|missing|no) (?:x-)?api[ -_]?key",
            said="invalid x-api-key",
            source=reported("by users of it"),
            status=401,
            type="authentication_error",
        ),
        Says(
            topic="auth",
            pattern=r"could not resolve authentication",
            said="Could not resolve authentication method.",
            source=_ANTHROPIC_SDK,
        ),
        Says(
            topic="rate",
            said="This request would exceed your account's rate limit. Please try again later.",
            source=_ANTHROPIC_LIMIT,
            status=429,
            type="rate_limit_error",
        ),
        Says(
            topic="model",
            said="model: no-such-model",
            source=reported("by users of it"),
            status=404,
            type="not_found_error",
        ),
        Says(
            topic="filter",
            pattern=r"content[ _-](?:filter(?:ing|ed)?|management)(?: policy|\b)",
            said="Output blocked by content filtering policy",
            source=_USERS,
            status=400,
            type="invalid_request_error",
        ),
        Says(
            topic="output",
            pattern=r"max_tokens: \d+ > \d+",
            said="max_tokens: 32000 > 8192, which is the maximum allowed number of output tokens "
            "for x",
            source=_USERS,
            status=400,
            type="invalid_request_error",
        ),
    ),
    codes=(
        Codes("overloaded", ("overloaded_error",), _ANTHROPIC_529),
        Codes("quota", ("billing_error",), _ANTHROPIC_SDK),
        Codes("auth", ("authentication_error",), _ANTHROPIC_SDK),
        Codes("context", ("request_too_large",), _ANTHROPIC_SDK),
        Codes("rate", ("rate_limit_error",), _ANTHROPIC_LIMIT),
        Codes("timeout", ("timeout_error",), _ANTHROPIC_SDK),
        Codes("server", ("api_error",), _ANTHROPIC_SDK),
    ),
    words=(
        Words(
            source=_ANTHROPIC_SDK,
            whole=("end_turn", "stop_sequence", "pause_turn"),
            cut=("max_tokens", "model_context_window_exceeded"),
            filtered=("refusal",),
            calls=("tool_use",),
        ),
        Words(source=_USERS, given_up=("error",)),
    ),
)
