"""Requests are valid for their server: strict servers, and what is learned from refusals."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import pytest

from palaver.wire.messages import Reasoning, Text, ToolCall, ToolResult
from palaverd.providers.neutral import ModelRequest, Turn
from palaverd.providers.prompt import bounded
from palaverd.providers.sdk import SdkProvider
from palaverd.providers.terms import Refusal, Terms, learn
from providers.calling import KINDS, Kind, ask, call, made
from providers.raw import raw_server
from providers.strict import Body, Rule, refusal, strict


def roles(body: Body) -> list[str]:
    said: list[dict[str, Any]] = body.get("messages") or body.get("input") or []
    return [one["role"] for one in said if one.get("role") not in (None, "system")]


def in_turn(body: Body) -> tuple[int, Any] | None:
    found = roles(body)
    if any(one == other for one, other in pairwise(found)):
        return refusal("Conversation roles must alternate user/assistant/user/assistant/...")
    return None


@pytest.mark.parametrize("kind", KINDS)
async def test_two_of_one_role_are_sent_as_one(kind: Kind) -> None:
    turns = [
        Turn("user", [Text("first")]),
        Turn("assistant", [Reasoning("stopped while thinking")]),
        Turn("user", [Text("second")]),
        Turn("assistant", [Text("half")]),
        Turn("assistant", [Text("and half")]),
        Turn("user", [Text("third"), Text("and more")]),
    ]
    async with strict(kind, in_turn) as server, made(kind, server.url) as provider:
        outcome = await call(provider, ask("", turns=turns))
        assert outcome.error is None
        assert roles(server.asked[0]) == ["user", "assistant", "user"]
        for text in ("first", "second", "half", "and half", "third", "and more"):
            assert text in str(server.asked[0])


async def test_an_item_that_says_something_says_that_it_is_a_message() -> None:
    """llama.cpp does not recognise an item without a type, and refuses every second turn."""

    def rule(body: Body) -> tuple[int, Any] | None:
        if all("type" in item for item in body["input"]):
            return None
        return refusal("Cannot determine type of 'item'")

    turns = [Turn("user", [Text("a")]), Turn("assistant", [Text("b")]), Turn("user", [Text("c")])]
    async with strict("openai", rule) as server, made("openai", server.url) as provider:
        assert (await call(provider, ask("", turns=turns))).text == "fine"
        assert [item["type"] for item in server.asked[0]["input"]] == ["message"] * 3


def no_system(body: Body) -> tuple[int, Any] | None:
    if any(one["role"] == "system" for one in body["messages"]):
        return refusal("System role not supported", 500)
    return in_turn(body)


def new_name(body: Body) -> tuple[int, Any] | None:
    if "max_tokens" in body:
        return refusal(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
            "'max_completion_tokens' instead.",
            code="unsupported_parameter",
            param="max_tokens",
        )
    return None


def answered(body: Body) -> tuple[int, Any] | None:
    said = [one["role"] for one in body["messages"]]
    if ("tool", "user") in pairwise(said):
        message = "Unexpected role 'user' after role 'tool'"
        return 400, {"object": "error", "message": message, "code": "3230"}
    return None


async def test_a_user_is_not_heard_right_after_a_tool_where_that_is_refused() -> None:
    kind: Kind = "openai-compatible"
    turns = [
        Turn("user", [Text("look")]),
        Turn("assistant", [ToolCall("one", "read", "{}")]),
        Turn("tool", [ToolResult("one", "done")]),
        Turn("user", [Text("and?")]),
    ]
    async with strict(kind, answered) as server, made(kind, server.url) as provider:
        for count in (2, 3):  # remembered
            assert (await call(provider, ask("", turns=turns))).text == "fine"
            assert len(server.asked) == count
        assert roles(server.asked[0]) == ["user", "assistant", "tool", "user"]
        assert roles(server.asked[-1]) == ["user", "assistant", "tool", "assistant", "user"]


def no_options(body: Body) -> tuple[int, Any] | None:
    if "stream_options" in body:
        field = {"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra"}
        return 422, {"detail": [field]}
    return None


def small(body: Body) -> tuple[int, Any] | None:
    if body.get("max_tokens", 0) > 8192 - 10:
        return refusal(
            f"'max_tokens' or 'max_completion_tokens' is too large: {body['max_tokens']}. This "
            "model's maximum context length is 8192 tokens and your request has 10 input tokens "
            f"({body['max_tokens']} > 8192 - 10)."
        )
    return None


def all_of_them(body: Body) -> tuple[int, Any] | None:
    rules = (no_options, small, new_name, no_system)
    return next((refused for rule in rules if (refused := rule(body)) is not None), None)


@pytest.mark.parametrize("rule", [no_system, new_name, no_options, small, all_of_them])
async def test_a_form_that_is_refused_is_changed_once_and_remembered(rule: Rule) -> None:
    kind: Kind = "openai-compatible"
    async with strict(kind, rule) as server, made(kind, server.url) as provider:
        request = ask("hi", max_output_tokens=32_000)
        assert (await call(provider, request)).text == "fine"
        first = len(server.asked)
        assert first > 1
        assert (await call(provider, request)).text == "fine"
        assert len(server.asked) == first + 1  # it is known by now
        assert "Be brief." in str(server.asked[-1]["messages"])
        other = ask("hi", model="another", max_output_tokens=32_000)
        assert (await call(provider, other)).text == "fine"
        assert len(server.asked) == 2 * first + 1  # each model has its own


async def test_a_limit_that_does_not_fit_behind_this_prompt_is_lowered_for_it_alone() -> None:
    def rule(body: Body) -> tuple[int, Any] | None:
        prompt = 188_240 if "long" in str(body["messages"]) else 10
        if prompt + body["max_tokens"] > 200_000:
            return refusal(
                "input length and `max_tokens` exceed context limit: "
                f"{prompt} + {body['max_tokens']} > 200000, decrease input length or `max_tokens` "
                "and try again"
            )
        return None

    async with strict("anthropic", rule) as server, made("anthropic", server.url) as provider:
        for text in ("long", "short"):
            assert (await call(provider, ask(text, max_output_tokens=32_000))).text == "fine"
        assert [body["max_tokens"] for body in server.asked] == [32_000, 11_760, 32_000]


async def test_a_limit_beyond_the_longest_answer_is_lowered_in_messages() -> None:
    def rule(body: Body) -> tuple[int, Any] | None:
        if body["max_tokens"] > 8192:
            return refusal(
                f"max_tokens: {body['max_tokens']} > 8192, which is the maximum allowed number "
                "of output tokens for this model"
            )
        return None

    async with strict("anthropic", rule) as server, made("anthropic", server.url) as provider:
        assert (await call(provider, ask("hi", max_output_tokens=32_000))).text == "fine"
        assert [body["max_tokens"] for body in server.asked] == [32_000, 8192]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_refusal_that_teaches_nothing_is_told_at_once(kind: Kind) -> None:
    async with (
        strict(kind, lambda _: refusal("This model is not for you.")) as server,
        made(kind, server.url) as provider,
    ):
        assert (await call(provider, "hi")).error is not None
        assert len(server.asked) == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_refused_in_every_form_is_told(kind: Kind) -> None:
    message = "max_tokens, max_output_tokens, stream_options, system role: unsupported"
    async with (
        strict(kind, lambda _: refusal(message)) as server,
        made(kind, server.url) as provider,
    ):
        assert (await call(provider, "hi")).error is not None
        assert len(server.asked) < 10


# --- reasoning --------------------------------------------------------------------------------

SEALED = {
    "anthropic": '{"type":"anthropic.thinking","signature":"sig-of-theirs"}',
    "openai": '{"type":"openai.reasoning","id":"rs_1","encrypted":"sealed-by-them"}',
}


def thinking(private: str, *behind: Text) -> list[Turn]:
    return [
        Turn("user", [Text("first")]),
        Turn("assistant", [Reasoning("hm"), *behind], private={"0": private}),
        Turn("user", [Text("second")]),
    ]


async def sealed_by(kind: Kind, url: str, key: str) -> str:
    """Return the reasoning that a provider wants back, as it is stored."""
    async with made(kind, url, api_key=key) as provider:
        outcome = await call(provider, ask("[[reasoning]] [[echo]] fine", reasoning="low"))
    return next(block.private for block in outcome.blocks if block.private is not None)


@pytest.mark.parametrize("kind", ["anthropic", "openai"])
async def test_reasoning_goes_back_to_the_account_that_wrote_it_alone(
    kind: Kind, simulator: Any
) -> None:
    kept = await sealed_by(kind, simulator.url, "key-one")
    for key, returns in (("key-one", True), ("key-two", False)):
        async with made(kind, simulator.url, api_key=key) as provider:
            await call(provider, ask("", turns=thinking(kept, Text("fine"))))
        sent = str(simulator.requests[-1].body)
        assert ("signature" in sent or "encrypted_content" in sent.replace("include", "")) is (
            returns
        )
        assert "fine" in sent
    assert "key-one" not in kept


@pytest.mark.parametrize("kind", ["anthropic", "openai"])
async def test_reasoning_is_never_sent_alone(kind: Kind, simulator: Any) -> None:
    kept = await sealed_by(kind, simulator.url, "key-one")
    async with made(kind, simulator.url, api_key="key-one") as provider:
        outcome = await call(provider, ask("", turns=thinking(kept)))
    assert outcome.error is None
    sent = str(simulator.requests[-1].body)
    assert "signature" not in sent
    assert "'encrypted_content'" not in sent


async def test_reasoning_that_is_refused_is_left_out_for_this_request() -> None:
    def rule(body: Body) -> tuple[int, Any] | None:
        if any(item.get("type") == "reasoning" for item in body["input"]):
            return refusal("The encrypted content could not be verified.", code="invalid")
        return None

    async with strict("openai", rule) as server, made("openai", server.url) as provider:
        assert isinstance(provider, SdkProvider)
        kept = f"{provider._origin}:{SEALED['openai']}"
        request = ask("", turns=thinking(kept, Text("so")))
        for asked in (2, 4):  # what one chat learned does not apply to others
            assert (await call(provider, request)).text == "fine"
            assert len(server.asked) == asked


# --- limits -----------------------------------------------------------------------------------


def prompt(text: str, **more: Any) -> ModelRequest:
    return ask(text, max_output_tokens=32_000, **more)


@pytest.mark.parametrize(
    ("asked", "terms", "low", "high"),
    [
        (prompt("hi"), Terms(), 32_000, 32_000),
        (prompt("hi", context_limit=8192), Terms(), 8000, 8130),
        (prompt("hi", context_limit=8192), Terms(context=4096), 3900, 4040),
        (prompt("hi"), Terms(longest=4096), 4096, 4096),
        (prompt("word " * 4000, context_limit=8192), Terms(), 1024, 1500),
        (prompt("字" * 20_000, context_limit=8192), Terms(), 1024, 1024),
        (prompt("hi", context_limit=1), Terms(), 1, 1),
    ],
)
def test_an_answer_fits_behind_its_prompt(
    asked: ModelRequest, terms: Terms, low: int, high: int
) -> None:
    assert low <= bounded(msgspec.structs.replace(asked, terms=terms)) <= high


@pytest.mark.parametrize(
    ("status", "text", "learned"),
    [
        (400, "Only user and assistant roles are supported! (system role)", {"system": "user"}),
        (400, "Only user and assistant roles are supported!", {"system": "user"}),
        (400, "Invalid value: 'system'. Supported values are: 'user'.", {"system": "user"}),
        (400, "Invalid role: system", {"system": "user"}),
        (400, "Message role 'system' is invalid", {"system": "user"}),
        (400, "'messages.0.role' : one of 'user','assistant' expected", {"system": "user"}),
        (422, "messages.0.role: Input should be 'user' or 'assistant'", {"system": "user"}),
        (400, "Developer instruction is not enabled for this model", {"system": "user"}),
        (400, "max_tokens is too large: 32000. (request_id: req-2024)", None),
        (400, '{"message":"max_tokens exceeds the maximum","code":1210}', None),
        (400, "'messages[0].role' does not support 'system' with this model", {"system": "user"}),
        (400, "Unrecognized request argument supplied: stream_options", {"usage": False}),
        (400, "Unknown parameter: 'max_tokens'.", {"limit": "max_completion_tokens"}),
        (
            400,
            "max_tokens must be less than or equal to 4096, got 32000",
            {"longest": 4096},
        ),
        (
            400,
            "This model's maximum context length is 4096 tokens. However, you requested 32010 "
            "tokens (10 in the messages, 32000 in max_tokens).",
            {"context": 4096},
        ),
        (401, "max_tokens is not supported", None),
        (429, "stream_options", None),
        (500, "The system is overloaded. Unknown message.", None),
        (400, "The model is not supported.", None),
    ],
)
def test_a_refusal_teaches(status: int, text: str, learned: dict[str, Any] | None) -> None:
    found = learn(Terms(), Refusal(status, text), 32_000)
    assert found == (None if learned is None else Terms(**learned))


@pytest.mark.parametrize(
    "message", ["max_tokens is too large: 32000.", "max_tokens exceeds the maximum"]
)
async def test_a_status_is_no_output_limit(message: str) -> None:
    """The SDKs write it before the server's message."""
    body = f'{{"error": {{"message": "{message}"}}}}'.encode()
    head = f"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
    raw = f"{head}Content-Type: application/json\r\n\r\n".encode() + body
    async with raw_server(raw) as server, made("openai-compatible", server.url) as provider:
        outcome = await call(provider, ask("hi", max_output_tokens=32000))
        assert outcome.error is not None
        assert outcome.error.kind == "config"
        assert server.requests == 1
