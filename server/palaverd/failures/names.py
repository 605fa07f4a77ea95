"""The words providers use for their failures: error types and codes, statuses, and phrases.

Types and codes are compared whole and in lower case. Phrases are searched only where no type or
code has already said what happened (see `SPECIFIC`). Sources: the error tables of Anthropic's
Messages API, of OpenAI's Responses and Chat Completions, of Azure OpenAI, and what llama.cpp,
vLLM, Ollama and OpenRouter answer.
"""

from __future__ import annotations

import re

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
    }
)
CONTEXT = frozenset(
    {
        "context_length_exceeded",
        "context_window_exceeded",
        "model_context_window_exceeded",
        "exceed_context_size_error",
        "request_too_large",
    }
)
FILTER = frozenset(
    {
        "content_filter",
        "content_policy_violation",
        "responsible_ai_policy_violation",
        "bio_policy",
        "misalignment_policy_violation",
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
        "invalid_value",
        "invalid_type",
        "invalid_prompt",
        "unsupported_country_region_territory",
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
    }
)
RATE = frozenset(
    {"rate_limit_error", "rate_limit_exceeded", "too_many_requests", "requests", "tokens"}
)
TIMEOUT = frozenset({"timeout_error", "deadline_exceeded", "gateway_timeout", "request_timeout"})
SERVER = frozenset({"api_error", "server_error", "internal_server_error", "internal_error"})

# These say what happened, whatever the sentence beside them mentions: the text of a rate limit
# speaks of prompt length, the text of an overload of models.
SPECIFIC = OVERLOADED | QUOTA | AUTH | CONTEXT | FILTER | CONFIG | RATE

# --- statuses ---------------------------------------------------------------------------------

STATUS_OVERLOADED = 529  # Anthropic's own
STATUS_TIMEOUT = frozenset({408, 502, 503, 504})
STATUS_CONFIG = frozenset({400, 404, 405, 415, 422})

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
REFUSED = frozenset({"ConnectionRefusedError"})
UNKNOWN_HOST = frozenset({"gaierror"})

# --- phrases ------------------------------------------------------------------------------------


def _any(*phrases: str) -> re.Pattern[str]:
    return re.compile("|".join(phrases))


TEXT_OVERLOADED = _any(
    r"\boverloaded\b", r"\bover capacity\b", r"\bat capacity\b", r"\bslow down\b"
)
TEXT_QUOTA = _any(
    r"credit balance is too low",
    r"exceeded your (?:current |monthly )?quota",
    r"insufficient (?:credits|balance|funds|quota)",
    r"billing hard limit",
    r"\bspend(?:ing)? limit\b",
    r"\busage limits?\b.{0,40}\breached\b",
)
TEXT_AUTH = _any(
    r"(?:invalid|incorrect|expired|revoked|missing|no) (?:x-)?api[ -_]?key",
    r"api[ -_]?key (?:is |was )?(?:not valid|invalid|expired|missing|not found|revoked)",
    r"(?:did not|didn't) provide an api key",
    r"invalid (?:bearer|authentication|access) token",
    r"could not resolve authentication",
)
TEXT_CONTEXT = _any(
    r"prompt is too long",
    r"maximum context length",
    r"context (?:length|window|size)[^.]{0,40}(?:exceed|too (?:long|large|small))",
    r"exceed[^.]{0,40}context (?:length|window|size|limit)",
    r"input is too long",
    r"input length and `?max_tokens`? exceed",
    r"too many (?:input )?tokens in (?:the )?prompt",
)
TEXT_CONFIG = _any(
    r"no such model",
    r"unknown model",
    r"invalid model",
    r"model[^.]{0,80}(?:not found|does not exist|doesn't exist|not supported|is not available"
    r"|not a valid model|has been (?:deprecated|retired))",
    r"model_not_found",
    r"(?:unsupported|unknown|unrecognized|invalid|unexpected)"
    r" (?:parameter|argument|field|value for)",
    r"malformed (?:request|json)",
)
TEXT_RATE = _any(r"\brate[ _-]?limit(?:ed|s)?\b", r"too many requests")
TEXT_TIMEOUT = _any(
    r"\btimed[ -]?out\b", r"connection (?:reset|refused|aborted|closed)", r"bad gateway"
)

# A number is a status only where it stands as one: behind a word that says so, and not followed
# by what would make it a port, a duration, an id or a larger number.
TEXT_STATUS = re.compile(
    r"\b(?:http(?:/[\d.]+)?(?: status)?|status(?:[ _]?code)?|error code|response code)"
    r"\s*[:=]?\s*['\"(]?([345]\d\d)(?![\w:.-]|\s*(?:ms|s|sec|seconds|minutes|tokens)\b)"
)
