"""The events of a good answer, the same for every protocol."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from palaver.wire.messages import Picture, Reasoning, Text, ToolCall, ToolResult
from palaverd.providers.neutral import Provider, Turn
from palaverd.providers.terms import Terms
from palaverd.simulator import Simulator
from providers.calling import KEY, PATHS, Kind, ask, call, made
from providers.raw import STREAM, data, good, raw_server
from support.clock import ManualClock

PICTURE = Picture("image/gif", 640, 480, b"GIF89a")


async def test_the_text_arrives_whole(provider: Provider) -> None:
    text = "Grüße, **naïve** 世界 🙂\n\n```python\nprint('ok')\n```\n\nend"
    outcome = await call(provider, f"[[echo]] {text}")
    assert outcome.text == text
    assert outcome.completed is not None
    assert outcome.completed.finish == "stop"
    assert outcome.completed.model == "sim-large"


async def test_usage_is_counted(provider: Provider) -> None:
    completed = (await call(provider, "[[echo]] one two three")).completed
    assert completed is not None
    assert completed.usage.input_tokens
    assert completed.usage.output_tokens == 3
    assert completed.usage.reasoning_tokens == 0
    assert completed.usage.cache_read_tokens == 0


async def test_reasoning_comes_before_the_text(provider: Provider) -> None:
    outcome = await call(provider, ask("[[echo]] so", reasoning="low"))
    assert [block.kind for block in outcome.blocks] == ["reasoning", "text"]
    assert outcome.blocks[0].text
    assert outcome.completed is not None
    assert outcome.completed.usage.reasoning_tokens


async def test_a_tool_call_grows(provider: Provider, kind: Kind) -> None:
    outcome = await call(provider, '[[tool=read_file args={"path":"a.txt","n":12}]] [[echo]] see')
    tool = outcome.blocks[-1]
    assert (tool.kind, tool.name) == ("tool_call", "read_file")
    assert tool.call_id
    assert msgspec.json.decode(tool.text) == {"path": "a.txt", "n": 12}
    assert outcome.completed is not None
    assert outcome.completed.finish == "tool_calls"


async def test_an_answer_that_is_cut_short_says_so(provider: Provider) -> None:
    outcome = await call(provider, ask("[[length=900]] go on", max_output_tokens=300))
    assert outcome.completed is not None
    assert outcome.completed.finish == "length"
    assert len(outcome.text.split()) > 200


async def test_what_the_provider_wants_back_comes_back(
    provider: Provider, kind: Kind, simulator: Simulator
) -> None:
    first = await call(provider, ask("[[echo]] so", reasoning="low"))
    private = first.blocks[0].private
    history = [
        Turn("user", [Text("so?")]),
        Turn(
            "assistant",
            [
                Reasoning(first.blocks[0].text),
                Text("so"),
                ToolCall("call:1/x", "read", '{"a": 1}'),
            ],
            {"0": private} if private else {},
        ),
        Turn("tool", [ToolResult("call:1/x", "done", is_error=True, picture=PICTURE)]),
        Turn("user", [Text("[[echo]] and now?")]),
    ]
    outcome = await call(provider, ask("", turns=history, terms=Terms(pictures=False)))
    assert outcome.error is None
    body = simulator.requests[-1].body
    assert body == msgspec.json.decode(msgspec.json.encode(body))
    sent = msgspec.json.encode(body).decode()
    assert sent.count("call_1_x") == 2
    assert "call:1/x" not in sent
    assert "done\\n[picture: GIF 640x480]" in sent
    if kind == "anthropic":
        assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
        thinking, text, use = body["messages"][1]["content"]
        assert thinking["signature"].startswith("sig-sim")
        assert (text["text"], use["input"]) == ("so", {"a": 1})
        assert body["messages"][2]["content"][0]["is_error"] is True
        assert body["messages"][2]["content"][-1]["cache_control"] == {"type": "ephemeral"}
    elif kind == "openai":
        kinds = [item.get("role", item["type"]) for item in body["input"]]
        assert [item["type"] for item in body["input"] if "role" in item] == ["message"] * 3
        assert kinds == [
            "user",
            "reasoning",
            "assistant",
            "function_call",
            "function_call_output",
            "user",
        ]
        assert body["input"][1]["encrypted_content"].startswith("sealed-sim")
        assert body["store"] is False
    else:
        roles = [message["role"] for message in body["messages"]]
        assert roles == ["system", "user", "assistant", "tool", "user"]
        assert body["messages"][2]["tool_calls"][0]["function"]["arguments"] == '{"a": 1}'


async def test_thoughts_with_nothing_behind_them_are_not_sent(
    provider: Provider, simulator: Simulator
) -> None:
    """The limit was reached before the answer."""
    first = await call(provider, ask("[[echo]] so", reasoning="low"))
    private = first.blocks[0].private
    turns = [
        Turn("user", [Text("so?")]),
        Turn("assistant", [Reasoning("hm")], {"0": private} if private else {}),
        Turn("user", [Text("[[echo]] and now?")]),
    ]
    outcome = await call(provider, ask("", turns=turns))
    assert outcome.text.endswith("and now?")  # both questions, in one message
    assert "reasoning" not in str(simulator.requests[-1].body.get("input"))


async def test_another_providers_signature_stays_at_home(
    provider: Provider, simulator: Simulator
) -> None:
    foreign = '{"type":"somebody.else","signature":"s3cret"}'
    turns = [
        Turn("user", [Text("hi")]),
        Turn("assistant", [Reasoning("hm"), Text("hello")], {"0": foreign}),
        Turn("user", [Text("[[echo]] yes")]),
    ]
    assert (await call(provider, ask("", turns=turns))).text == "yes"
    assert b"s3cret" not in msgspec.json.encode(simulator.requests[-1].body)


async def test_one_request_per_call_at_the_right_place(
    provider: Provider, kind: Kind, simulator: Simulator
) -> None:
    await call(provider, "[[500]] hello")
    assert [request.path for request in simulator.requests] == [PATHS[kind]]
    assert simulator.requests[0].headers["Authorization"] == f"Bearer {KEY}"
    assert simulator.requests[0].body["model"] == "sim-large"


@pytest.mark.parametrize("fault", ["", "[[529 times=1]]"])
async def test_connections_are_used_again(
    provider: Provider, fault: str, simulator: Simulator
) -> None:
    before = len(simulator.requests)
    for number in range(4):
        await call(provider, f"{fault} [[echo]] {number}")
    assert len({request.port for request in simulator.requests[before:]}) == 1


async def test_calls_at_once_have_a_connection_each_and_no_more(
    kind: Kind, simulator: Simulator
) -> None:
    before, many = len(simulator.requests), 20
    # By a clock that stands: on a busy machine the end of a body comes too late for the system's.
    async with made(kind, simulator.url, clock=ManualClock()) as provider:
        for _ in range(3):
            await asyncio.gather(*(call(provider, f"[[echo]] number {n}") for n in range(many)))
    # Fewer, if one call ended before another began.
    assert len({request.port for request in simulator.requests[before:]}) <= many


async def test_a_connection_that_the_server_has_closed_is_not_used_again(kind: Kind) -> None:
    """It says that it stays open, and closes at once."""
    body = data(*good(kind, "hello"))
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {STREAM}\r\nContent-Length: {len(body)}\r\n\r\n"
    async with raw_server(head.encode() + body) as server, made(kind, server.url) as provider:
        texts = [(await call(provider, "hi")).text for _ in range(20)]
    assert (texts, server.requests) == (["hello"] * 20, 20)


async def test_calls_run_side_by_side(provider: Provider) -> None:
    outcomes = await asyncio.gather(*(call(provider, f"[[echo]] number {n}") for n in range(40)))
    assert [outcome.text for outcome in outcomes] == [f"number {n}" for n in range(40)]


async def test_the_environment_does_not_leak_in(
    kind: Kind, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ANTHROPIC", "OPENAI"):
        monkeypatch.setenv(f"{name}_API_KEY", "leaked-key")
        monkeypatch.setenv(f"{name}_BASE_URL", "http://127.0.0.1:1")
        monkeypatch.setenv(f"{name}_CUSTOM_HEADERS", "X-Leak: leaked\nAuthorization: leaked")
        monkeypatch.setenv(f"{name}_ORG_ID", "leaked-org")
        monkeypatch.setenv(f"{name}_PROJECT_ID", "leaked-project")
        monkeypatch.setenv(f"{name}_AUTH_TOKEN", "leaked-token")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with made(kind, simulator.url) as provider:
        assert (await call(provider, "[[echo]] ok")).text == "ok"
    headers = simulator.requests[-1].headers
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert "leaked" not in str(headers)


async def test_the_sdk_is_made_once_however_many_ask(kind: Kind, simulator: Simulator) -> None:
    async with made(kind, simulator.url) as provider:
        await asyncio.gather(*(provider.warm_up() for _ in range(5)))
        client = await provider._client.get()  # type: ignore[attr-defined]
        await provider.warm_up()
        assert await provider._client.get() is client  # type: ignore[attr-defined]
