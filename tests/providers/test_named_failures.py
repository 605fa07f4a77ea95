"""Responses of real servers, as bytes on real sockets, through the real SDKs in three protocols.

The rows were observed with real servers; similar ones are in `failures/test_phrases.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from palaver.wire.errors import ChatError
from palaverd.config.types import ProviderConfig
from palaverd.providers.build import make_provider
from providers.calling import PATHS, Kind, call, made
from support.clock import ManualClock
from support.raw_server import http, raw_server

GEMINI = json.dumps(
    [
        {
            "error": {
                "code": 429,
                "message": "You exceeded your current quota, please check your plan and billing"
                " details. * Quota exceeded for metric: x, limit: 10 Please retry in 3.07s.",
                "status": "RESOURCE_EXHAUSTED",
                "details": [
                    {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": []},
                    {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3s"},
                ],
            }
        }
    ]
)
OPENAI_MINUTE = (
    "Rate limit reached for gpt-5 in organization org-x on tokens per min (TPM): Limit 30000, Used"
    " 29500, Requested 3750. Please try again in 6.5s. Visit https://platform.openai.com for more."
)


def said(message: str, **more: object) -> str:
    return json.dumps({"error": {"message": message, **more}})


# The status, the body, further headers; then the kind, the wait in ms, words of the message.
ANSWERS: list[tuple[int, str, tuple[str, ...], str, int | None, str]] = [
    # limits and accounts
    (429, GEMINI, (), "rate_limit", 3070, "takes no more requests"),
    (429, said(OPENAI_MINUTE, code="rate_limit_exceeded"), (), "rate_limit", 6500, ""),
    (429, said("Too many"), ("Retry-After: 3s",), "rate_limit", 3000, ""),
    (429, said("Too many"), ("Retry-After: 3", "Retry-After: 5"), "rate_limit", 5000, ""),
    (429, said("Wait 9 s."), ("retry-after-ms: 1500",), "rate_limit", 9000, ""),
    (
        429,
        said("Slower", metadata={"headers": {"X-RateLimit-Reset": "1"}}),
        ("X-RateLimit-Reset: 4",),
        "rate_limit",
        4000,
        "",
    ),
    (
        429,
        said("You exceeded your current quota, please check it.", code="insufficient_quota"),
        (),
        "usage_limit",
        None,
        "no credit left",
    ),
    (402, said("Insufficient Balance"), (), "usage_limit", None, "no credit left"),
    # filters
    (
        400,
        said("Output blocked by content filtering policy", type="invalid_request_error"),
        (),
        "content_filter",
        None,
        "declined",
    ),
    (
        403,
        said('x requires moderation on OpenRouter. Your input was flagged for "violence".'),
        (),
        "content_filter",
        None,
        "declined",
    ),
    (400, said("no", code="content_filter", status=400), (), "content_filter", None, "declined"),
    # dead runners, full and loading servers
    (500, '{"error": "model runner has unexpectedly stopped"}', (), "server_error", None, ""),
    (
        500,
        said("Context size has been exceeded.", code=500, type="server_error"),
        (),
        "server_error",
        None,
        "share one context",
    ),
    (
        400,
        said("the request exceeds the available context size", type="exceed_context_size_error"),
        (),
        "context_overflow",
        None,
        "no longer fits",
    ),
    (
        503,
        said("Loading model", code=503, type="unavailable_error"),
        (),
        "loading",
        None,
        "is load",
    ),
    (
        503,
        '{"error": "Model x is currently loading", "estimated_time": 20}',
        (),
        "loading",
        None,
        "",
    ),
    # too many tokens for the answer
    (
        400,
        said(
            "'max_tokens' or 'max_completion_tokens' is too large: 32000. This model's maximum"
            " context length is 8192 tokens and your request has 13 input tokens"
            " (32000 > 8192 - 13).",
            type="BadRequestError",
            code=400,
        ),
        (),
        "config",
        None,
        "max_output_tokens",
    ),
    (
        400,
        said(
            "This model's maximum context length is 8192 tokens. However, you requested 32013"
            " tokens (13 in the messages, 32000 in the completion).",
        ),
        (),
        "context_overflow",
        None,
        "max_output_tokens",
    ),
]


@pytest.mark.parametrize(
    ("status", "body", "headers", "expected", "wait", "words"),
    [pytest.param(*row, id=f"{row[0]}-{row[3]}-{row[1][10:50]}") for row in ANSWERS],
)
async def test_an_answer_is_named(
    kind: Kind,
    status: int,
    body: str,
    headers: tuple[str, ...],
    expected: str,
    wait: int | None,
    words: str,
) -> None:
    error = await failing(kind, http(status, body, *headers))
    assert (error.kind, error.status_code) == (expected, status)
    assert error.retry_after_ms == wait
    assert words in error.message


async def failing(kind: Kind, answer: bytes | Callable[[bytes], bytes]) -> ChatError:
    async with raw_server(answer) as server, made(kind, server.url) as provider:
        error = (await call(provider, "hi")).error
    assert error is not None
    return error


# --- inside a stream ---------------------------------------------------------------------------


def streamed(kind: Kind, error: dict[str, object]) -> bytes:
    """Return an event stream that begins well, and then contains an error."""
    events: dict[str, dict[str, object]] = {
        "anthropic": {"type": "error", "error": error},
        "openai": {"type": "response.failed", "response": {"id": "r", "error": error}},
        "openai-compatible": {"error": error},
    }
    event = events[kind]
    name = f"event: {event['type']}\n" if "type" in event else ""
    text = f"{name}data: {json.dumps(event)}\n\n"
    return http(200, text, kind="text/event-stream")


STREAMED: list[tuple[dict[str, object], str, int | None]] = [
    ({"message": OPENAI_MINUTE, "code": "rate_limit_exceeded"}, "rate_limit", 6500),
    (
        {"type": "api_error", "message": "Output blocked by content filtering policy"},
        "content_filter",
        None,
    ),
    ({"message": "model runner has unexpectedly stopped, this may be"}, "server_error", None),
    ({"message": "Context size has been exceeded.", "type": "server_error"}, "server_error", None),
    ({"message": "whatever this may be"}, "server_error", None),
    ({"message": "prompt is too long: 9 tokens > 8 maximum"}, "context_overflow", None),
    ({"code": "context_length_exceeded", "message": "x"}, "context_overflow", None),
]


@pytest.mark.parametrize(("error", "expected", "wait"), STREAMED)
async def test_an_error_inside_a_stream_is_named(
    kind: Kind, error: dict[str, object], expected: str, wait: int | None
) -> None:
    found = await failing(kind, streamed(kind, error))
    assert (found.kind, found.retry_after_ms) == (expected, wait)


# --- wrong addresses ---------------------------------------------------------------------------

NOT_FOUND = [
    http(404, "404 page not found\n", kind="text/plain"),
    http(404, '{"detail":"Not Found"}'),
    http(404, "<html><body>Cannot POST /chat/completions</body></html>", kind="text/html"),
    http(404, said("File Not Found", code=404, type="not_found_error")),
    http(404, said("Invalid URL (POST /v1/models/x)", type="invalid_request_error")),
    http(404, '{"type":"error","error":{"type":"not_found_error","message":"Not found"}}'),
    http(404),
    http(405, '{"detail":"Method Not Allowed"}'),
    http(200, "<!doctype html><title>Open WebUI</title>", kind="text/html"),
]


@pytest.mark.parametrize("answer", NOT_FOUND)
async def test_an_address_is_doubted_with_what_was_asked(kind: Kind, answer: bytes) -> None:
    async with raw_server(answer) as server, made(kind, server.url) as provider:
        error = (await call(provider, "hi")).error
        assert error is not None
        assert (error.kind, error.retryable) == ("config", False)
        assert "does not know the model" not in error.message
        assert "Check its base_url" in error.message
        assert f"{server.url}{PATHS[kind]} was asked" in error.message


@pytest.mark.parametrize(
    "body",
    [
        said("The model `sim-large` does not exist."),
        said("model 'x' not found, try pulling it first"),
        said("model: sim-large", type="not_found_error"),
        said("no", code="model_not_found"),
        '{"detail": "sim-large is not here"}',
    ],
)
async def test_a_model_that_is_named_is_what_is_not_known(kind: Kind, body: str) -> None:
    error = await failing(kind, http(404, body))
    assert error.kind == "config"
    assert "does not know the model sim-large" in error.message


async def test_a_policy_of_the_account_is_neither(kind: Kind) -> None:
    body = said("No endpoints found matching your data policy (Free model publication).")
    error = await failing(kind, http(404, body))
    assert error.kind == "config"
    assert "whom the account's own settings allow" in error.message


DOUBTS: dict[Kind, list[tuple[str, str]]] = {
    "anthropic": [("/v1", "/v1 once too often"), ("/v1/messages", "put behind it anyway")],
    "openai": [
        ("/v1/v1", "/v1 once too often"),
        ("/v1/responses", "put behind it anyway"),
        ("", "perhaps /v1 is missing"),
    ],
    "openai-compatible": [
        ("/v1/v1", "/v1 once too often"),
        ("/v1/chat/completions", "put behind it anyway"),
        ("", "perhaps /v1 is missing"),
    ],
}


async def test_what_is_wrong_with_an_address_is_said(kind: Kind) -> None:
    async with raw_server(http(404, "404 page not found")) as server:
        for path, doubt in DOUBTS[kind]:
            provider = make_provider(
                "acme",
                ProviderConfig(kind=kind, base_url=f"{server.url}{path}"),
                api_key="k",
                key_hint="K",
                clock=ManualClock(),
            )
            error = (await call(provider, "hi")).error
            await provider.close()
            assert error is not None
            assert doubt in error.message
