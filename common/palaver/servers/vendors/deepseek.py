"""Facts about DeepSeek's own service."""

from __future__ import annotations

from palaver.servers.facts import (
    Mark,
    Note,
    Says,
    Sends,
    Server,
    Source,
    Words,
    reported,
)

_USERS = reported("by users of it, as a sentence only")
_DEEPSEEK_ERRORS = Source("https://api-docs.deepseek.com/quick_start/error_codes")
_DEEPSEEK_WAITS = Source("https://api-docs.deepseek.com/quick_start/rate_limit")
_DEEPSEEK_RISK = Source("https://github.com/whiteguo233/OpenBiliClaw/issues/199", "2026-08")
_DEEPSEEK_FULL = Source("https://github.com/evalstate/fast-agent/issues/621", "2026-01")
_DEEPSEEK_API = reported("in its reference of chat completions")

DEEPSEEK = Server(
    name="DeepSeek",
    slug="deepseek",
    place="vendor",
    base_url="https://api.deepseek.com/v1",
    key="DEEPSEEK_API_KEY",
    marks=(Mark("host", "api.deepseek.com", _DEEPSEEK_ERRORS),),
    sends=Sends(
        source=_DEEPSEEK_WAITS,
        reasoning="reasoning_content",
        usage="with the finish",
        cached="prompt_cache_hit_tokens",
        ping=": keep-alive",
    ),
    says=(
        Says(
            topic="context",
            said="This model's maximum context length is 131072 tokens. However, you requested "
            "131134 tokens (122942 in the messages, 8192 in the completion). Please reduce the "
            "length of the messages or completion.",
            source=_DEEPSEEK_FULL,
            status=400,
            type="invalid_request_error",
            code="invalid_request_error",
        ),
        Says(
            topic="quota",
            pattern=r"insufficient (?:credits|balance|funds|quota)",
            said="Insufficient Balance",
            source=_DEEPSEEK_ERRORS,
            status=402,
        ),
        Says(
            topic="filter",
            pattern=r"content exists risk",
            said="Content Exists Risk",
            source=_DEEPSEEK_RISK,
            status=400,
            type="invalid_request_error",
            code="invalid_request_error",
        ),
        Says(
            topic="auth",
            said="Authentication Fails",
            source=_DEEPSEEK_ERRORS,
            status=401,
        ),
        Says(
            topic="rate",
            said="Rate Limit Reached",
            source=_DEEPSEEK_ERRORS,
            status=429,
        ),
        Says(
            topic="overloaded",
            said="Server Overloaded",
            source=_DEEPSEEK_ERRORS,
            status=503,
        ),
        Says(
            topic="model",
            said="Model Not Exist",
            pattern=r"model not exist",
            source=reported("by users of it"),
            status=400,
            type="invalid_request_error",
            code="invalid_request_error",
        ),
        Says(
            topic="output",
            pattern=r"(?:valid range of|invalid) `?max_(?:completion_)?tokens`?"
            r"|`?max_(?:completion_|output_)?tokens`? must be (?:less|at most|smaller|<)",
            said="Invalid max_tokens value, the valid range of max_tokens is [1, 8192]",
            source=_USERS,
            status=400,
            type="invalid_request_error",
        ),
    ),
    words=(
        Words(
            source=_DEEPSEEK_API,
            whole=("stop",),
            cut=("length",),
            filtered=("content_filter",),
            calls=("tool_calls",),
            given_up=("insufficient_system_resource",),
        ),
    ),
    notes=(
        Note(
            "Under load a request stays open, with only keep-alives; after 10 minutes it is "
            "closed. Palaver waits as long.",
            _DEEPSEEK_WAITS,
        ),
    ),
)
