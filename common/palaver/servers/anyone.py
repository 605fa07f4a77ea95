"""Error messages and codes shared by many servers, gateways and proxies."""

from __future__ import annotations

from palaver.servers.facts import Codes, Says, Server, reported

_MANY = reported("by users of several servers")

ANYONE = Server(
    name="many",
    slug="anyone",
    place="gateway",
    says=(
        Says(
            topic="context",
            pattern=r"tokens in request more than max tokens allowed",
            said="Number of tokens in request more than max tokens allowed",
            source=_MANY,
        ),
        Says(
            topic="quota",
            pattern=r"\b(?:run|ran|is|are) out of credits?\b",
            said="You have run out of credits",
            source=_MANY,
        ),
        Says(
            topic="model",
            pattern=r"unknown model",
            said="unknown model",
            source=_MANY,
        ),
        Says(
            topic="model",
            pattern=r"model_not_found",
            said="model_not_found: x",
            source=_MANY,
        ),
        Says(
            topic="config",
            pattern=r"(?:unsupported|unknown|unrecognized|invalid|unexpected)"
            r" (?:parameter|argument|field|value for)",
            said="unsupported parameter: top_k",
            source=_MANY,
        ),
        Says(
            topic="config",
            pattern=r"model[^.]{0,80}(?:not supported|is not available"
            r"|has been (?:deprecated|retired))",
            said="The model x has been deprecated.",
            source=_MANY,
        ),
        Says(
            topic="config",
            pattern=r"malformed (?:request|json)",
            said="malformed request",
            source=_MANY,
        ),
        Says(
            topic="timeout",
            pattern=r"\btimed[ -]?out\b|connection (?:reset|refused|aborted|closed)|bad gateway",
            said="upstream request timed out",
            source=reported("by users of gateways"),
        ),
        Says(
            topic="plain",
            pattern=r"wrong_version_number|wrong version number|record_layer_failure"
            r"|unknown protocol",
            said="[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1010)",
            source=reported("OpenSSL"),
        ),
        Says(
            topic="plain",
            pattern=r"plain http request was sent to https|http request to an https server",
            said="The plain HTTP request was sent to HTTPS port",
            source=reported("nginx, Go"),
        ),
    ),
    codes=(
        Codes("overloaded", ("overloaded",), _MANY),
        Codes("quota", ("quota_exceeded", "insufficient_balance", "usage_limit_reached"), _MANY),
        Codes(
            "auth",
            ("missing_api_key", "unauthorized", "unauthenticated", "token_expired"),
            _MANY,
        ),
        Codes("context", ("context_window_exceeded", "model_context_window_exceeded"), _MANY),
        Codes("filter", ("prohibited_content",), _MANY),
        Codes("model", ("unknown_model",), _MANY),
        Codes("rate", ("too_many_requests",), _MANY),
        Codes("timeout", ("gateway_timeout", "request_timeout"), _MANY),
        Codes("server", ("internal_server_error", "internal_error"), _MANY),
    ),
)
