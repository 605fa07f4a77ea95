"""Facts about OpenAI's own service."""

from __future__ import annotations

from palaver.servers.facts import (
    Codes,
    Mark,
    Note,
    Says,
    Sends,
    Server,
    Source,
    Want,
    Words,
    reported,
)

_OVERFLOW = Source("github.com/badlogic/pi-mono packages/ai/src/utils/overflow.ts", "a2dbd625")
_USERS = reported("by users of it, as a sentence only")
_OPENAI_ERRORS = Source("https://developers.openai.com/docs/guides/error-codes")
_OPENAI_SDK = Source(
    "github.com/openai/openai-python src/openai/types/chat/completion_create_params.py", "3.52.0"
)
_OPENAI_TYPES = Source("github.com/openai/openai-python src/openai/types", "3.52.0")

OPENAI = Server(
    name="OpenAI",
    slug="openai",
    place="vendor",
    protocol="openai",
    base_url="https://api.openai.com/v1",
    key="OPENAI_API_KEY",
    marks=(Mark("host", "api.openai.com", _OPENAI_ERRORS),),
    wants=(
        Want("limit_parameter", "max_completion_tokens", _OPENAI_SDK),
        Want("vision", True, _OPENAI_SDK),
    ),
    sends=Sends(source=_OPENAI_TYPES, cached="prompt_tokens_details"),
    says=(
        Says(
            topic="context",
            said="This model's maximum context length is 128000 tokens. However, your messages "
            "resulted in 212454 tokens. Please reduce the length of the messages.",
            source=Source("https://github.com/crewAIInc/crewAI/issues/701", "2024-05"),
            status=400,
            type="invalid_request_error",
            code="context_length_exceeded",
        ),
        Says(
            topic="overloaded",
            pattern=r"\bslow down\b",
            said="Slow down",
            source=_OPENAI_ERRORS,
            status=503,
            type="server_error",
            code="slow_down",
        ),
        Says(
            topic="overloaded",
            pattern=r"\bservice (?:is )?(?:temporarily )?(?:too )?busy\b|\bserver (?:is )?busy\b",
            said="Server busy, please try again later.",
            source=_USERS,
        ),
        Says(
            topic="quota",
            pattern=r"exceeded your (?:current |monthly )?quota",
            said="You exceeded your current quota, please check your plan and billing details.",
            source=_OPENAI_ERRORS,
            status=429,
            type="insufficient_quota",
            code="insufficient_quota",
        ),
        Says(
            topic="quota",
            pattern=r"billing hard limit",
            said="Billing hard limit has been reached",
            source=_USERS,
        ),
        Says(
            topic="auth",
            said="Incorrect API key provided: sk-sim****-key.",
            source=_OPENAI_ERRORS,
            status=401,
            type="invalid_request_error",
            code="invalid_api_key",
        ),
        Says(
            topic="auth",
            pattern=r"(?:did not|didn't) provide an api key",
            said="You didn't provide an API key.",
            source=_USERS,
        ),
        Says(
            topic="model",
            pattern=r"model[^.]{0,80}(?:not found|does not exist|doesn't exist)"
            r"|not a valid model\b",
            said="The model `gpt-9` does not exist or you do not have access to it.",
            source=_USERS,
            status=404,
            type="invalid_request_error",
            code="model_not_found",
        ),
        Says(
            topic="rate",
            pattern=r"\brate[ _-]?limit(?:ed|s)?\b|too many requests",
            said="Rate limit reached for gpt-5 on tokens per min (TPM): Limit 30000, Used 29500.",
            source=_OPENAI_ERRORS,
            status=429,
            type="tokens",
            code="rate_limit_exceeded",
        ),
        Says(
            topic="filter",
            pattern=r"\bflagged\b[^.]{0,60}(?:violat|polic|unsafe|safety)",
            said="Invalid prompt: your prompt was flagged as potentially violating our usage "
            "policy.",
            source=_USERS,
            status=400,
            type="invalid_request_error",
            code="invalid_prompt",
        ),
        Says(
            topic="filter",
            pattern=r"(?:blocked|rejected)[^.]{0,60}(?:safety|prohibited|guardrail|moderation)"
            r"|\bprohibited_content\b",
            said="Your request was rejected as a result of our safety system.",
            source=_USERS,
        ),
        Says(
            topic="output",
            pattern=r"supports at most \d+ completion tokens",
            said="This model supports at most 16384 completion tokens, whereas you provided 32000.",
            source=_USERS,
        ),
    ),
    codes=(
        Codes(
            "overloaded", ("server_overloaded", "engine_overloaded", "slow_down"), _OPENAI_ERRORS
        ),
        Codes(
            "quota",
            ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active"),
            _OPENAI_ERRORS,
        ),
        Codes("auth", ("invalid_api_key", "account_deactivated"), _OPENAI_ERRORS),
        Codes("context", ("context_length_exceeded",), _OVERFLOW),
        Codes(
            "filter",
            (
                "content_policy_violation",
                "bio_policy",
                "misalignment_policy_violation",
                "cyber_policy",
                "moderation_blocked",
            ),
            reported("codes of its errors"),
        ),
        Codes("model", ("model_not_found",), _USERS),
        Codes(
            "config",
            (
                "unsupported_parameter",
                "unknown_parameter",
                "missing_required_parameter",
                "unsupported_value",
                "invalid_type",
                "unsupported_country_region_territory",
            ),
            _OPENAI_ERRORS,
        ),
        Codes("rate", ("rate_limit_exceeded", "requests", "tokens"), _OPENAI_ERRORS),
        Codes("server", ("server_error",), _OPENAI_ERRORS),
    ),
    words=(
        Words(
            source=_OPENAI_TYPES,
            whole=("stop",),
            cut=("length",),
            filtered=("content_filter",),
            calls=("tool_calls", "function_call"),
        ),
        Words(
            source=_OPENAI_TYPES,
            whole=("completed",),
            cut=("max_output_tokens", "max_messages", "incomplete"),
            given_up=("failed", "cancelled"),
        ),
    ),
    notes=(Note("Its newer models refuse max_tokens.", _OPENAI_SDK),),
)
