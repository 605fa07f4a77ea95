"""Facts about Moonshot's Kimi service."""

from __future__ import annotations

from palaver.servers.facts import (
    Codes,
    Mark,
    Says,
    Sends,
    Server,
    Source,
    Words,
    reported,
)

_USERS = reported("by users of it, as a sentence only")
_KIMI_FULL = Source("https://github.com/MoonshotAI/kimi-cli/issues/2011", "2026-04")
_KIMI_QUOTA = Source("https://github.com/MoonshotAI/Kimi-K2/issues/5", "2025-07")
_KIMI_ERRORS = Source("https://www.kimi.com/code/docs/en/kimi-code/error-reference.html")
_KIMI_PROMPTFOO = Source("https://www.promptfoo.dev/docs/providers/moonshot/")

KIMI = Server(
    name="Kimi",
    slug="kimi",
    place="vendor",
    base_url="https://api.moonshot.ai/v1",
    key="MOONSHOT_API_KEY",
    marks=(
        Mark("host", "api.moonshot.ai", _KIMI_PROMPTFOO),
        Mark("host", "api.moonshot.cn", _KIMI_PROMPTFOO),
        Mark("host", "api.kimi.com", _KIMI_ERRORS),
    ),
    sends=Sends(
        source=Source("https://iii.dev/registry/workers/provider-kimi", "1.1.18"),
        reasoning="reasoning_content",
        usage="with the finish",
        cached="cached_tokens",
    ),
    says=(
        Says(
            topic="context",
            pattern=r"exceed(?:ed|s)? (?:the )?model(?:'s)? token limit",
            said="Invalid request: Your request exceeded model token limit: 262144 (requested: "
            "269030)",
            source=_KIMI_FULL,
            status=400,
            type="invalid_request_error",
        ),
        Says(
            topic="quota",
            pattern=r"exceeded current quota",
            said="Your account is not active, organization exceeded current quota, please check "
            "your plan and billing details",
            source=_KIMI_QUOTA,
            status=403,
            type="exceeded_current_quota_error",
        ),
        Says(
            topic="overloaded",
            said="The engine is currently overloaded, please try again later",
            source=_KIMI_ERRORS,
            status=429,
            type="engine_overloaded_error",
        ),
        Says(
            topic="auth",
            said="Invalid Authentication",
            source=_KIMI_ERRORS,
            status=401,
            type="invalid_authentication_error",
        ),
        Says(
            topic="filter",
            pattern=r"considered high risk",
            said="The request was rejected because it was considered high risk",
            source=_USERS,
            status=400,
            type="content_filter",
        ),
    ),
    codes=(
        Codes("overloaded", ("engine_overloaded_error",), reported("by users of it")),
        Codes("quota", ("exceeded_current_quota_error", "access_terminated"), _KIMI_QUOTA),
        Codes(
            "auth",
            ("invalid_authentication", "invalid_authentication_error"),
            reported("by users of it"),
        ),
    ),
    words=(
        Words(
            source=reported("by users of it"),
            whole=("stop",),
            cut=("length",),
            filtered=("content_filter",),
            calls=("tool_calls",),
        ),
    ),
)
