"""Facts about Groq's own service."""

from __future__ import annotations

from palaver.servers.facts import (
    Mark,
    Says,
    Sends,
    Server,
    Source,
    Want,
    Words,
    reported,
)

_USERS = reported("by users of it, as a sentence only")
_GROQ_ERRORS = Source("https://console.groq.com/docs/errors")
_GROQ_LIMIT = Source("https://github.com/groq/groq-python/pull/175")
_GROQ_FULL = Source("https://github.com/thepersonalaicompany/amurex-backend/issues/51", "2025-03")
_GROQ_RATE = Source(
    "https://www.skills.sh/jeremylongshore/tons-of-skills-marketplace/groq-common-errors"
)

GROQ = Server(
    name="Groq",
    slug="groq",
    place="vendor",
    base_url="https://api.groq.com/openai/v1",
    key="GROQ_API_KEY",
    marks=(Mark("host", "api.groq.com", _GROQ_ERRORS),),
    wants=(Want("limit_parameter", "max_completion_tokens", _GROQ_LIMIT),),
    sends=Sends(
        source=reported("by users of it"),
        reasoning="reasoning",
        usage="x_groq",
        cached="prompt_tokens_details",
    ),
    says=(
        Says(
            topic="context",
            pattern=r"reduce the length of (?:the |your )?(?:messages|prompt|input)",
            said="Please reduce the length of the messages or completion.",
            source=_GROQ_FULL,
            status=400,
            type="invalid_request_error",
            code="context_length_exceeded",
        ),
        Says(
            topic="rate",
            said="Rate limit reached for model `llama-3.3-70b-versatile` in organization `org_1` "
            "on tokens per minute (TPM): Limit 6000, Used 5900. Please try again in 7.66s.",
            source=_GROQ_RATE,
            status=429,
            type="tokens",
            code="rate_limit_exceeded",
        ),
        Says(
            topic="auth",
            said="Invalid API Key",
            source=_GROQ_ERRORS,
            status=401,
            type="invalid_request_error",
            code="invalid_api_key",
        ),
        Says(
            topic="overloaded",
            said="The model is over capacity.",
            pattern=r"\b(?:over|at) capacity\b",
            source=_USERS,
            status=503,
            type="internal_server_error",
        ),
        Says(
            topic="model",
            said="The model `m` does not exist or you do not have access to it.",
            source=_GROQ_ERRORS,
            status=404,
            type="invalid_request_error",
            code="model_not_found",
        ),
    ),
    words=(
        Words(
            source=reported("by users of it"),
            whole=("stop",),
            cut=("length",),
            calls=("tool_calls",),
        ),
    ),
)
