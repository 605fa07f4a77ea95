"""The names of failures: error types and codes, HTTP statuses, exception classes.

Types and codes are compared whole and in lower case; the text is searched only if none of them
decides (see `SPECIFIC`, and phrases.py). `palaver.servers` lists which server uses each code, with
its source.
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
# Types for any bad request; the text may be more specific.
CONFIG_VAGUE = frozenset(
    {
        "invalid_request_error",
        "not_found_error",
        "invalid_request",
        "bad_request",
        "badrequesterror",
        "invalid_prompt",  # OpenAI; mostly a content filter, as the text says
        "invalid_value",  # a token limit, as the text says
        "invalid_argument",  # Gemini
    }
)
LOADING = codes("loading")
RATE = codes("rate")
TIMEOUT = codes("timeout")
SERVER = codes("server")

# These decide alone, whatever the text mentions: the text of a rate limit mentions prompt length,
# the text of an overload mentions models.
SPECIFIC = OVERLOADED | LOADING | QUOTA | AUTH | CONTEXT | FILTER | CONFIG | RATE

# --- statuses ---------------------------------------------------------------------------------

STATUS_OVERLOADED = 529  # Anthropic's own
STATUS_TIMEOUT = frozenset({408, 502, 503, 504})
STATUS_CONFIG = frozenset({400, 404, 405, 415, 422})
STATUS_NO_PLACE = frozenset({404, 405})  # the server has no such path
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
# Wrong addresses and certificates: a retry does not help.
ADDRESS = frozenset({"UnsupportedProtocol", "InvalidURL", "SSLCertVerificationError"})
# The body cannot be decompressed.
GARBLED = frozenset({"DecodingError"})
REFUSED = frozenset({"ConnectionRefusedError"})
PROXY = "ProxyError"
UNKNOWN_HOST = frozenset({"gaierror"})
