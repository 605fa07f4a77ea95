"""The names providers give to their failures: error types and codes, statuses, and classes.

Types and codes are compared whole and in lower case; sentences are searched only where none of
them has already said what happened (see `SPECIFIC`, and phrases.py). Who uses each code, and where
that is written, is in the table of servers (`palaver.servers`).
"""

from __future__ import annotations

from palaver.servers.table import codes

# --- types and codes in error bodies ----------------------------------------------------------

OVERLOADED = codes("overloaded")
QUOTA = codes("quota")
AUTH = codes("auth")
CONTEXT = codes("context")
FILTER = codes("filter")
UNKNOWN_MODEL = codes("model")
CONFIG = codes("config") | UNKNOWN_MODEL
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
LOADING = codes("loading")
RATE = codes("rate")
TIMEOUT = codes("timeout")
SERVER = codes("server")

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
