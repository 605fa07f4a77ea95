"""The faults of the simulated provider, as one table."""

from __future__ import annotations

from typing import Literal

import msgspec

from palaver.servers.facts import Says, Topic

# The way a fault fails: instead of an answer, or inside its stream.
Manner = Literal[
    "status",  # an error response
    "leak",  # an error response that repeats the request, with the key
    "html",  # a gateway's error page
    "redirect",
    "wrong-type",  # status 200 and a web page
    "error-event",  # an error inside the stream
    "close",  # the body ends properly, but too early
    "cut",  # the connection ends inside the body
    "reset",  # TCP RST
    "refuse",  # RST before any response
    "silence",
    "pings",  # nothing but pings
    "garbage",  # a data line that is not JSON
    "bad-utf8",
    "flood",  # words without end
    "endless-event",  # one line without end
    "no-terminal",  # everything but the terminal event
    "stay-open",  # everything, but the body never ends
    "split",  # every byte in a chunk of its own
    "duplicate",  # events other than deltas are sent twice
    "filter",  # finishes at once, refused
    "empty",  # finishes at once, without content and reason
]

# Manners that can also strike before the response's head.
AT_HEAD: frozenset[Manner] = frozenset({"cut", "reset", "silence"})


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One way to fail.

    `times` is the default number of failures: once for temporary faults, so that a retry succeeds;
    always (None) for others. `anthropic`, `openai_type` and `openai_code` are the words of the
    error body. `topic` is the topic under which a server of the table may have an error of its own:
    `says`, once it has.
    """

    manner: Manner
    does: str
    status: int = 200
    times: int | None = 1
    anthropic: str = "api_error"
    openai_type: str | None = "server_error"
    openai_code: str | None = None
    message: str = "Internal server error"
    openai_message: str | None = None  # OpenAI's message, if it differs in a way that matters
    topic: Topic | None = None
    says: Says | None = None


FAULTS: dict[str, Fault] = {
    "400": Fault(
        manner="status",
        does="a malformed request",
        status=400,
        times=None,
        anthropic="invalid_request_error",
        openai_type="invalid_request_error",
        message="messages: at least one message is required",
    ),
    "401": Fault(
        topic="auth",
        manner="status",
        does="a bad key",
        status=401,
        times=None,
        anthropic="authentication_error",
        openai_type="invalid_request_error",
        openai_code="invalid_api_key",
        message="invalid x-api-key",
        openai_message="Incorrect API key provided: sk-sim****-key.",
    ),
    "402": Fault(
        topic="quota",
        manner="status",
        does="an unpaid account",
        status=402,
        times=None,
        anthropic="billing_error",
        openai_type="billing_error",
        message="Your account has no credit left.",
    ),
    "403": Fault(
        manner="status",
        does="no permission",
        status=403,
        times=None,
        anthropic="permission_error",
        openai_type="invalid_request_error",
        message="Your account does not have permission to use this resource.",
    ),
    "404": Fault(
        topic="model",
        manner="status",
        does="no such model",
        status=404,
        times=None,
        anthropic="not_found_error",
        openai_type="invalid_request_error",
        openai_code="model_not_found",
        message="model: no-such-model",
        openai_message="The model `no-such-model` does not exist or you do not have access to it.",
    ),
    "408": Fault(
        manner="status",
        does="a request that took too long to arrive",
        status=408,
        anthropic="timeout_error",
        openai_type=None,
        message="Request timeout",
    ),
    "413": Fault(
        manner="status",
        does="a request of too many bytes",
        status=413,
        times=None,
        anthropic="request_too_large",
        openai_type=None,
        message="Request exceeds the maximum allowed number of bytes.",
    ),
    "422": Fault(
        manner="status",
        does="a parameter that the model does not have",
        status=422,
        times=None,
        anthropic="invalid_request_error",
        openai_type="invalid_request_error",
        openai_code="unsupported_parameter",
        message="Unsupported parameter: 'top_k' is not supported with this model.",
    ),
    "429": Fault(
        topic="rate",
        manner="status",
        does="a rate limit; takes retry-after, retry-after-ms, retry-date",
        status=429,
        anthropic="rate_limit_error",
        openai_type="requests",
        openai_code="rate_limit_exceeded",
        message="This request would exceed your account's rate limit. Please try again later.",
    ),
    "quota": Fault(
        topic="quota",
        manner="status",
        does="an empty account",
        status=429,
        times=None,
        anthropic="billing_error",
        openai_type="insufficient_quota",
        openai_code="insufficient_quota",
        message="You exceeded your current quota, please check your plan and billing details.",
    ),
    "context": Fault(
        topic="context",
        manner="status",
        does="a prompt that is too long",
        status=400,
        times=None,
        anthropic="invalid_request_error",
        openai_type="invalid_request_error",
        openai_code="context_length_exceeded",
        message="prompt is too long: 212454 tokens > 200000 maximum",
        openai_message=(
            "This model's maximum context length is 128000 tokens. However, your messages"
            " resulted in 212454 tokens. Please reduce the length of the messages."
        ),
    ),
    "500": Fault(topic="server", manner="status", does="a server error", status=500),
    "502": Fault(manner="html", does="a gateway's error page", status=502, message="Bad Gateway"),
    "503": Fault(
        topic="overloaded",
        manner="status",
        does="out of service",
        status=503,
        message="Service unavailable",
    ),
    "loading": Fault(
        topic="loading",
        manner="status",
        does="a model that is being loaded",
        status=503,
        anthropic="unavailable_error",
        openai_type="unavailable_error",
        message="Loading model",
    ),
    "504": Fault(manner="html", does="a gateway's timeout", status=504, message="Gateway Time-out"),
    "529": Fault(
        topic="overloaded",
        manner="status",
        does="an overload",
        status=529,
        anthropic="overloaded_error",
        openai_code="overloaded",
        message="Overloaded",
    ),
    "leak": Fault(
        manner="leak",
        does="an error that says back the key it was sent",
        status=400,
        times=None,
        anthropic="invalid_request_error",
        openai_type="invalid_request_error",
    ),
    "redirect": Fault(manner="redirect", does="an answer elsewhere", status=307, times=None),
    "wrong-type": Fault(manner="wrong-type", does="a web page with status 200", times=None),
    "error": Fault(
        manner="error-event",
        does="an overload inside the stream",
        anthropic="overloaded_error",
        openai_type="server_error",
        openai_code="overloaded",
        message="Overloaded",
    ),
    "close": Fault(manner="close", does="the stream ends before its terminal event"),
    "cut": Fault(manner="cut", does="the connection closes in the middle of the body"),
    "reset": Fault(manner="reset", does="a TCP reset in the middle of the body"),
    "refuse": Fault(manner="refuse", does="a TCP reset before any answer"),
    "silence": Fault(manner="silence", does="the stream stops, the connection stays"),
    "pings": Fault(manner="pings", does="from some point on only pings, one a second"),
    "garbage": Fault(manner="garbage", does="an event that is no JSON"),
    "bad-utf8": Fault(manner="bad-utf8", does="an event that is no UTF-8"),
    "flood": Fault(manner="flood", does="words without end", times=None),
    "endless-event": Fault(manner="endless-event", does="one event without end", times=None),
    "no-terminal": Fault(manner="no-terminal", does="everything but the terminal event"),
    "stay-open": Fault(manner="stay-open", does="a whole answer whose body never ends", times=None),
    "split": Fault(manner="split", does="every byte in a chunk of its own", times=None),
    "duplicate": Fault(manner="duplicate", does="events delivered twice", times=None),
    "filter": Fault(topic="filter", manner="filter", does="a refusal without content", times=None),
    "empty": Fault(manner="empty", does="an answer with nothing in it"),
}
