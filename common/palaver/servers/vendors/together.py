"""Facts about Together's own service."""

from __future__ import annotations

from palaver.servers.facts import (
    Mark,
    Says,
    Server,
    Source,
    Words,
    reported,
)

_TOGETHER_ERRORS = Source("https://docs.together.ai/docs/error-codes")
_TOGETHER_FULL = Source("https://portkey.ai/error-library/input-validation-error-10151")

TOGETHER = Server(
    name="Together",
    slug="together",
    place="vendor",
    base_url="https://api.together.xyz/v1",
    key="TOGETHER_API_KEY",
    marks=(
        Mark("host", "api.together.xyz", reported("by users of it")),
        Mark("host", "api.together.ai", _TOGETHER_ERRORS),
    ),
    says=(
        Says(
            topic="context",
            said="Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097. "
            "Given: 5013 `inputs` tokens and 128 `max_new_tokens`",
            source=_TOGETHER_FULL,
            status=400,
            type="invalid_request_error",
        ),
        Says(
            topic="quota",
            pattern=r"\bspend(?:ing)? limit\b",
            said="The account associated with the API key has reached its maximum allowed monthly "
            "spending limit.",
            source=_TOGETHER_ERRORS,
            status=402,
        ),
        Says(
            topic="overloaded",
            said="Engine Overloaded",
            source=_TOGETHER_ERRORS,
            status=503,
        ),
        Says(topic="auth", said="Missing or Invalid API Key", source=_TOGETHER_ERRORS, status=401),
        Says(topic="rate", said="Rate limit", source=_TOGETHER_ERRORS, status=429),
    ),
    words=(
        Words(
            source=reported("by users of it"),
            whole=("stop", "eos"),
            cut=("length",),
            calls=("tool_calls",),
        ),
    ),
)
