"""The names providers give to their failures: error types and codes, statuses, and classes.

Types and codes are compared whole and in lower case; sentences are searched only where none of
them has already said what happened (see `SPECIFIC`, and phrases.py). Sources: the error tables of
Anthropic's Messages API, of OpenAI's Responses and Chat Completions, of Azure OpenAI, Gemini,
z.ai (numbers) and Qwen, and what llama.cpp, vLLM, Ollama and OpenRouter answer.
"""

from __future__ import annotations

# --- types and codes in error bodies ----------------------------------------------------------

OVERLOADED = frozenset(
    {"overloaded_error", "overloaded", "server_overloaded", "engine_overloaded", "slow_down"}
)
QUOTA = frozenset(
    {
        "insufficient_quota",
        "quota_exceeded",
        "billing_error",
        "billing_hard_limit_reached",
        "billing_not_active",
        "insufficient_credits",
        "insufficient_balance",
        "payment_required",
        "usage_limit_reached",
        "access_terminated",
        "arrearage",  # Qwen
        "1113",  # z.ai
    }
)
AUTH = frozenset(
    {
        "authentication_error",
        "invalid_api_key",
        "invalid_authentication",
        "missing_api_key",
        "unauthorized",
        "unauthenticated",
        "token_expired",
        "account_deactivated",
        # LiteLLM without a database: it looks there for any key that is not its own.
        "no_db_connection",
    }
)
CONTEXT = frozenset(
    {
        "context_length_exceeded",
        "context_window_exceeded",
        "model_context_window_exceeded",
        "exceed_context_size_error",
        "request_too_large",
        "model_max_prompt_tokens_exceeded",  # Copilot
        "tokens_limit_reached",  # GitHub Models
        "1261",  # z.ai
    }
)
FILTER = frozenset(
    {
        "content_filter",
        "content_policy_violation",
        "responsible_ai_policy_violation",
        "bio_policy",
        "misalignment_policy_violation",
        "cyber_policy",
        "data_inspection_failed",  # Qwen
        "datainspectionfailed",
        "prohibited_content",
        "moderation_blocked",
        "1301",  # z.ai
    }
)
CONFIG = frozenset(
    {
        "model_not_found",
        "deployment_not_found",
        "deploymentnotfound",
        "unknown_model",
        "unsupported_parameter",
        "unknown_parameter",
        "missing_required_parameter",
        "unsupported_value",
        "invalid_type",
        "1211",  # z.ai
        "unsupported_country_region_territory",
    }
)
UNKNOWN_MODEL = frozenset(
    {
        "model_not_found",
        "deployment_not_found",
        "deploymentnotfound",
        "unknown_model",
        "1211",
    }
)
# Types that name a request as wrong without saying how; the phrases below may say more.
CONFIG_VAGUE = frozenset(
    {
        "invalid_request_error",
        "not_found_error",
        "invalid_request",
        "bad_request",
        "badrequesterror",
        "invalid_prompt",  # of OpenAI; mostly of a filter, which the sentence says
        "invalid_value",  # of a token limit, which the sentence says
        "invalid_argument",  # Gemini
    }
)
LOADING = frozenset({"model_loading", "model_is_loading"})
RATE = frozenset(
    {
        "rate_limit_error",
        "rate_limit_exceeded",
        "too_many_requests",
        "requests",
        "tokens",
        "throttling",  # Qwen
        "throttling.ratequota",
        "1302",  # z.ai
        "1303",
        "1305",
    }
)
TIMEOUT = frozenset({"timeout_error", "deadline_exceeded", "gateway_timeout", "request_timeout"})
SERVER = frozenset({"api_error", "server_error", "internal_server_error", "internal_error"})

# These say what happened, whatever the sentence beside them mentions: the text of a rate limit
# speaks of prompt length, the text of an overload of models.
SPECIFIC = OVERLOADED | LOADING | QUOTA | AUTH | CONTEXT | FILTER | CONFIG | RATE

# --- statuses ---------------------------------------------------------------------------------

STATUS_OVERLOADED = 529  # Anthropic's own
STATUS_TIMEOUT = frozenset({408, 502, 503, 504})
STATUS_CONFIG = frozenset({400, 404, 405, 415, 422})
STATUS_NO_PLACE = frozenset({404, 405})  # of a path that the server does not have
STATUS_PROXY = 407

# --- classes along the cause chain --------------------------------------------------------------

# Transport errors of httpx2, the SDKs, asyncio and the standard library, by name.
TRANSPORT = frozenset(
    {
        "APIConnectionError",
        "TransportError",
        "NetworkError",
        "ConnectError",
        "ReadError",
        "WriteError",
        "CloseError",
        "RemoteProtocolError",
        "TimeoutException",
        "ConnectionError",
        "TimeoutError",
        "IncompleteReadError",
        "gaierror",
        "EndOfStream",
        "ClosedResourceError",
        "BrokenResourceError",
    }
)
# Wrong addresses and certificates stay wrong, however often one tries.
ADDRESS = frozenset({"UnsupportedProtocol", "InvalidURL", "SSLCertVerificationError"})
# What was said cannot be unpacked.
GARBLED = frozenset({"DecodingError"})
REFUSED = frozenset({"ConnectionRefusedError"})
PROXY = "ProxyError"
UNKNOWN_HOST = frozenset({"gaierror"})
