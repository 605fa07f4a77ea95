"""The simulator's wire behaviour, checked by the vendors' own SDKs and their typed parsers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import openai
import pytest

from palaverd.simulator import Simulator

TEXT = "Grüße, **naïve** 世界 🙂"
ASK = f"[[echo]] {TEXT}"
TOOL = '[[tool=read args={"path":"a"}]] [[echo]] see'


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(rate=0) as running:
        yield running


@pytest.fixture
async def claude(simulator: Simulator) -> AsyncIterator[anthropic.AsyncAnthropic]:
    make = lambda: anthropic.AsyncAnthropic(  # noqa: E731
        api_key="key", base_url=simulator.url, max_retries=0
    )
    client = await asyncio.to_thread(make)
    yield client
    await client.close()


@pytest.fixture
async def gpt(simulator: Simulator) -> AsyncIterator[openai.AsyncOpenAI]:
    make = lambda: openai.AsyncOpenAI(  # noqa: E731
        api_key="key", base_url=f"{simulator.url}/v1", max_retries=0
    )
    client = await asyncio.to_thread(make)
    yield client
    await client.close()


def user(text: str) -> Any:
    """What each of the SDKs takes for messages; each has types of its own for it."""
    return [{"role": "user", "content": text}]


async def test_anthropics_sdk_accumulates_the_stream(claude: anthropic.AsyncAnthropic) -> None:
    async with claude.messages.stream(
        model="sim-large",
        max_tokens=500,
        messages=user(TOOL),
        thinking={"type": "adaptive"},
    ) as stream:
        message = await stream.get_final_message()
    assert [block.type for block in message.content] == ["thinking", "text", "tool_use"]
    thinking, text, tool = message.content
    assert thinking.type == "thinking"
    assert thinking.signature
    assert text.type == "text"
    assert text.text == "see"
    assert tool.type == "tool_use"
    assert (tool.name, tool.input) == ("read", {"path": "a"})
    assert message.stop_reason == "tool_use"
    assert message.usage.output_tokens > 1
    assert message.usage.output_tokens_details is not None
    assert message.usage.output_tokens_details.thinking_tokens > 1


async def test_anthropics_events_come_in_the_documented_order(
    claude: anthropic.AsyncAnthropic,
) -> None:
    stream = await claude.messages.create(
        model="sim-large", max_tokens=500, messages=user("[[echo]] one"), stream=True
    )
    assert [event.type async for event in stream] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


async def test_anthropic_without_a_stream(claude: anthropic.AsyncAnthropic) -> None:
    message = await claude.messages.create(model="sim-large", max_tokens=500, messages=user(ASK))
    [block] = message.content
    assert block.type == "text"
    assert block.text == TEXT
    assert message._request_id is not None
    assert message._request_id.startswith("req_sim")


async def test_anthropics_models_are_listed(claude: anthropic.AsyncAnthropic) -> None:
    assert [model.id async for model in claude.models.list()] == ["sim-large", "sim-small"]


async def test_openais_models_are_listed(gpt: openai.AsyncOpenAI) -> None:
    assert [model.id async for model in gpt.models.list()] == ["sim-large", "sim-small"]


async def test_openais_sdk_accumulates_a_response(gpt: openai.AsyncOpenAI) -> None:
    async with gpt.responses.stream(
        model="sim-large", input=TOOL, reasoning={"effort": "low"}
    ) as stream:
        response = await stream.get_final_response()
    assert [item.type for item in response.output] == ["reasoning", "message", "function_call"]
    assert response.output_text == "see"
    call = response.output[2]
    assert call.type == "function_call"
    assert call.arguments == '{"path":"a"}'
    assert response.status == "completed"
    assert response.usage is not None
    assert response.usage.output_tokens_details.reasoning_tokens > 1


async def test_openais_responses_are_numbered_without_a_gap(gpt: openai.AsyncOpenAI) -> None:
    stream = await gpt.responses.create(model="sim-large", input=ASK, stream=True)
    events = [event async for event in stream]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[-1].type == "response.completed"


async def test_openais_sdk_accumulates_a_chat(gpt: openai.AsyncOpenAI) -> None:
    async with gpt.chat.completions.stream(
        model="sim-large", messages=user(ASK), stream_options={"include_usage": True}
    ) as stream:
        completion = await stream.get_final_completion()
    assert completion.choices[0].message.content == TEXT
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert completion.usage.completion_tokens


async def test_openai_without_a_stream(gpt: openai.AsyncOpenAI) -> None:
    response = await gpt.responses.create(model="sim-large", input=ASK)
    assert response.output_text == TEXT
    completion = await gpt.chat.completions.create(model="sim-large", messages=user(TOOL))
    message = completion.choices[0].message
    [call] = message.tool_calls or []
    assert call.type == "function"
    assert call.function.arguments == '{"path":"a"}'


async def test_errors_are_the_sdks_own(
    claude: anthropic.AsyncAnthropic, gpt: openai.AsyncOpenAI
) -> None:
    with pytest.raises(anthropic.AuthenticationError) as bad_key:
        await claude.messages.create(model="m", max_tokens=9, messages=user("[[401]]"))
    assert bad_key.value.type == "authentication_error"
    with pytest.raises(openai.RateLimitError) as quota:
        await gpt.responses.create(model="m", input="[[quota]]")
    assert quota.value.code == "insufficient_quota"
    with pytest.raises(openai.BadRequestError) as context:
        await gpt.chat.completions.create(model="m", messages=user("[[context]]"))
    assert context.value.code == "context_length_exceeded"


async def test_an_error_inside_a_stream_is_raised_by_the_sdk(
    claude: anthropic.AsyncAnthropic,
) -> None:
    stream = await claude.messages.create(
        model="m", max_tokens=99, messages=user("[[error after=2]] [[length=9]] x"), stream=True
    )
    with pytest.raises(anthropic.APIStatusError) as overloaded:
        async for _ in stream:
            pass
    assert overloaded.value.type == "overloaded_error"
