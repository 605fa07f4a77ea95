"""Valid streams, changed at random.

A change that keeps the meaning changes neither answer nor counts; one that does not never leaves an
answer that is taken for complete.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from random import Random
from typing import Any

import httpx2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaver.clock import SystemClock
from palaverd.failures import ProviderFailure
from palaverd.providers.anthropic_events import AnthropicDialect
from palaverd.providers.call import Call, model_events
from palaverd.providers.chat_events import ChatDialect
from palaverd.providers.dialect import Dialect
from palaverd.providers.exception_signals import Caller
from palaverd.providers.finish_words import WORDS, meaning_of
from palaverd.providers.limits import DEFAULT_LIMITS
from palaverd.providers.neutral import Delta
from palaverd.providers.responses_events import ResponsesDialect
from providers.calling import KINDS, Kind, Outcome
from providers.changing import TYPES, changed, chunked
from providers.raw import (
    DONE,
    Event,
    answer,
    ask_raw,
    chat,
    chunk,
    cut,
    data,
    good,
    messages,
    responses,
)
from support.clock import ManualClock, until
from support.examples import examples

DIALECTS: dict[Kind, type[Dialect]] = {
    "anthropic": AnthropicDialect,
    "openai": ResponsesDialect,
    "openai-compatible": ChatDialect,
}
CALL = Call(Caller("acme"), "m", SystemClock(), DEFAULT_LIMITS)


class Response:
    """A response as the SDK returns it, its body in given chunks; `error` breaks it off."""

    def __init__(self, content_type: str, chunks: list[bytes], error: Exception | None) -> None:
        self.headers = httpx2.Headers({"content-type": content_type})
        self.status_code = 200
        self.extensions: dict[str, Any] = {}
        self._chunks = chunks
        self._error = error

    async def aiter_bytes(self) -> AsyncIterator[bytes]:
        for one in self._chunks:
            yield one
        if self._error is not None:
            raise self._error


class Opened(msgspec.Struct):
    http_response: Any


def read(
    kind: Kind,
    chunks: list[bytes],
    content_type: str = "text/event-stream",
    error: Exception | None = None,
) -> Outcome:
    """Return the outcome of a body, below the SDK and above the socket."""

    @asynccontextmanager
    async def opening() -> AsyncIterator[Any]:
        yield Opened(Response(content_type, chunks, error))

    async def call() -> Outcome:
        outcome = Outcome()
        events = model_events(CALL, opening, DIALECTS[kind]())
        try:
            async with aclosing(events):
                async for event in events:
                    outcome.take(event)
        except ProviderFailure as failure:
            outcome.error = failure.error
        return outcome

    outcome = asyncio.run(call())
    assert (outcome.completed is None) != (outcome.error is None)
    return outcome


def said(outcome: Outcome) -> dict[str, Any]:
    """Return an answer's content, however it is divided into blocks."""
    text: dict[str, Any] = {"text": "", "reasoning": "", "calls": []}
    for block in outcome.blocks:
        if block.kind == "tool_call":
            text["calls"].append((block.name, block.text))
        else:
            text[block.kind] += block.text
    return text


words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(
    lambda word: "|" not in word
)
kinds = st.sampled_from(KINDS)
seeds = st.integers(0, 2**32).map(Random)


class Answer(msgspec.Struct):
    texts: list[str]
    thought: str
    call: str

    def good(self, kind: Kind) -> list[Any]:
        return good(kind, *self.texts, thought=self.thought, call=self.call)

    def said(self) -> dict[str, Any]:
        calls = [("f", self.call.replace("|", ""))] if self.call else []
        return {
            "text": "".join(self.texts),
            "reasoning": self.thought.replace("|", ""),
            "calls": calls,
        }


answers = st.builds(
    Answer,
    st.lists(words | st.sampled_from(["ha", "data: x\n\n", "🙂", '"}']), min_size=1, max_size=6),
    st.lists(words, max_size=3).map("|".join),
    st.sampled_from(["", '{"x":|1}', '{"n":|{"m|":2}}']),
)


@examples(300)
@given(kinds, answers, seeds, st.sampled_from(TYPES))
def test_what_does_not_touch_the_meaning_changes_nothing(
    kind: Kind, answer: Answer, random: Random, content_type: str
) -> None:
    body = changed(kind, answer.good(kind), random)
    outcome = read(kind, chunked(body, random), content_type)
    assert outcome.error is None, body
    assert outcome.completed is not None
    assert said(outcome) == answer.said(), body
    assert outcome.completed.finish == ("tool_calls" if answer.call else "stop"), body
    counts = outcome.completed.usage
    assert (counts.input_tokens, counts.output_tokens) == (10, 5), body


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b" \r\n"])
def test_a_stream_is_known_wherever_its_beginning_is_cut(kind: Kind, before: bytes) -> None:
    body = before + data(*good(kind, "a", "b"))
    for at in range(40):
        outcome = read(kind, [body[:at], body[at:]], "application/json")
        assert outcome.error is None, at
        assert outcome.text == "ab"


def passes_for_whole(outcome: Outcome) -> bool:
    """Return whether the answer is taken for complete."""
    done = outcome.completed
    return done is not None and done.finish in ("stop", "tool_calls")


@examples(300)
@given(kinds, answers, seeds, st.booleans())
def test_what_breaks_off_is_whole_or_does_not_pass_for_it(
    kind: Kind, answer: Answer, random: Random, broken: bool
) -> None:
    body = changed(kind, answer.good(kind), random)
    body = body[: random.randrange(len(body) + 1)]
    error = httpx2.ReadError("reset") if broken else None
    outcome = read(kind, chunked(body, random), error=error)
    if passes_for_whole(outcome):
        assert said(outcome) == answer.said(), body
    elif outcome.error is not None:
        assert outcome.error.retryable or outcome.error.kind == "config", body


ERRORS: list[Any] = [
    {"error": "model runner has unexpectedly stopped"},
    {"error": {"message": "boom"}},
    {"error": {"type": "overloaded_error", "message": "busy"}},
    {"type": "error", "error": {"type": "api_error", "message": "boom"}},
    b'event: error\ndata: {"code": 500, "message": "boom", "type": "server_error"}\n\n',
    b'data: [{"error": {"code": 503, "message": "boom"}}]\n\n',
    b"data: {half\n\n",
]


@examples(200)
@given(kinds, answers, seeds, st.sampled_from(ERRORS), st.booleans())
def test_an_error_anywhere_is_one(
    kind: Kind, answer: Answer, random: Random, error: Any, goes_on: bool
) -> None:
    events = answer.good(kind)
    end = {"anthropic": 2, "openai": 1, "openai-compatible": 3}[kind]
    at = random.randrange(len(events) - end + 1)
    body = data(*events[:at], error, *(events[at:] if goes_on else []))
    outcome = read(kind, chunked(body, random))
    assert outcome.error is not None, body
    assert outcome.error.retryable, body


def ending(kind: Kind, answer: Answer, word: str) -> list[Event | bytes]:
    """Return an answer that ends with a word."""
    more: dict[str, Any] = {"thought": answer.thought}
    if kind == "anthropic":
        return [*messages(*answer.texts, finish=word, **more)]
    if kind == "openai":
        events: list[Event | bytes] = [*responses(*answer.texts, status="incomplete", **more)]
        last: Any = events[-1]
        last["response"]["incomplete_details"] = {"reason": word}
        return events
    return [*chat(*answer.texts, finish=word, **more), DONE]


not_whole = [word for word, meaning in WORDS.items() if meaning not in ("whole", "calls")]
unknown = st.from_regex(re.compile(r"[a-z]{3,9}_[a-z]{3,9}"), fullmatch=True).filter(
    lambda word: meaning_of(word) is None and word != "in_progress"
)


@examples(300)
@given(kinds, answers, seeds, st.sampled_from(not_whole) | unknown)
def test_a_word_that_means_anything_else_is_told(
    kind: Kind, answer: Answer, random: Random, word: str
) -> None:
    body = changed(kind, ending(kind, answer, word), random)
    outcome = read(kind, chunked(body, random))
    assert not passes_for_whole(outcome), body
    meaning = meaning_of(word)
    if meaning == "given up":
        assert outcome.error is not None
        assert outcome.error.retryable
    else:
        assert outcome.completed is not None
        expected = {"cut": "length", "filtered": "content_filter", None: "unknown"}[meaning]
        assert outcome.completed.finish == expected
        assert outcome.completed.word == (word if meaning is None else None)
        assert said(outcome)["text"] == "".join(answer.texts)


@examples(200)
@given(
    kinds,
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "type",
                        "error",
                        "message",
                        "code",
                        "choices",
                        "delta",
                        "content",
                        "index",
                        "usage",
                        "finish_reason",
                        "tool_calls",
                        "function",
                        "arguments",
                        "text",
                        "thinking",
                        "item",
                        "part",
                        "response",
                        "status",
                        "output",
                        "output_index",
                        "content_block",
                        "stop_reason",
                        "model",
                        "incomplete_details",
                        "reason",
                        "prompt_tokens",
                        "output_tokens",
                        "sequence_number",
                        "id",
                    ]
                )
                | st.text(max_size=4),
                inner,
                max_size=5,
            )
        ),
        max_leaves=12,
    ),
    st.sampled_from(
        [
            "",
            "message_start",
            "content_block_start",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "response.output_item.added",
            "response.output_item.done",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.function_call_arguments.delta",
            "response.reasoning_summary_part.added",
            "response.completed",
            "response.failed",
            "response.incomplete",
            "response.created",
        ]
    ),
)
def test_nothing_that_is_json_breaks_a_reader(kind: Kind, value: Any, name: str) -> None:
    """Any value is ignored, read, or reported as a failure."""
    if isinstance(value, dict) and name:
        value = value | {"type": name}
    body = b"data: " + json.dumps(value).encode() + b"\n\n"
    outcome = read(kind, [data(*good(kind, "a", "b")[:-3]), body, data(*good(kind)[-3:])])
    if outcome.error is not None:
        assert outcome.error.kind != "generic", outcome.error
    outcome = read(kind, [json.dumps(value).encode()], "application/json")
    if outcome.error is not None:
        assert outcome.error.kind != "generic", outcome.error


async def test_a_finish_word_with_every_piece_ends_no_answer_early() -> None:
    """Some servers send `stop` with every word; the end of the answer is then awaited again."""
    clock, said_so_far = ManualClock(), list[str]()
    go_on = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        for word in ("one ", "two ", "three ", "four"):
            yield data(chunk("stop", content=word))
            await go_on.wait()
            go_on.clear()

    response = Response("text/event-stream", [], None)
    response.aiter_bytes = pieces  # type: ignore[method-assign]

    @asynccontextmanager
    async def opening() -> AsyncIterator[Any]:
        yield Opened(response)

    async def read_all() -> str:
        call = msgspec.structs.replace(CALL, clock=clock)
        async for event in model_events(call, opening, ChatDialect()):
            if isinstance(event, Delta):
                said_so_far.append(event.text)
        return "".join(said_so_far)

    task = asyncio.create_task(read_all())
    for number in range(1, 5):
        await until(lambda: len(said_so_far) == number and clock.waits())  # noqa: B023
        clock.advance(DEFAULT_LIMITS.closing - 1)
        go_on.set()
    assert await task == "one two three four"


@pytest.mark.parametrize("kind", KINDS)
def test_half_an_event_in_the_middle_is_an_error_wherever_the_last_piece_is_cut(kind: Kind) -> None:
    events = good(kind, "a", "b")
    for at in range(1, len(events) - 2):
        body = data(*events[:at], b"data: {half\n\n", *events[at:])
        for end in (1, 2, 20):
            assert read(kind, [body[:-end], body[-end:]]).error is not None, (at, end)


async def test_where_a_finish_word_comes_with_every_piece_a_cut_is_no_end() -> None:
    pieces = data(*(chunk("stop", content=word) for word in ("one ", "two ", "three")))
    broken = await ask_raw("openai-compatible", cut(pieces))
    assert broken.error is not None
    assert broken.error.retryable
    whole = await ask_raw("openai-compatible", answer(pieces + data(DONE)))
    assert whole.completed is not None
    assert (whole.text, whole.completed.finish) == ("one two three", "stop")


async def test_an_error_that_was_written_without_its_field_is_one() -> None:
    line = b'{"error": {"message": "m", "type": "insufficient_quota"}}\n\n'
    outcome = await ask_raw("openai-compatible", answer(data(chunk(content="a")) + line))
    assert outcome.error is not None
    assert outcome.error.kind == "usage_limit"


async def test_a_refusal_of_the_model_is_filtered_in_chat_completions_too() -> None:
    body = data(chunk(refusal="I cannot."), chunk("stop"), DONE)
    outcome = await ask_raw("openai-compatible", answer(body))
    assert outcome.completed is not None
    assert (outcome.text, outcome.completed.finish) == ("I cannot.", "content_filter")


@pytest.mark.parametrize("kind", KINDS)
async def test_the_same_over_real_sockets(kind: Kind) -> None:
    random = Random(kind)
    asked = Answer(["Hello ", "ha", "ha", " 🙂"], "h|m", '{"x":|1}')
    for number in range(12):
        body = changed(kind, asked.good(kind), random)
        outcome = await ask_raw(kind, answer(body, random.choice(TYPES)))
        assert outcome.error is None, body
        assert said(outcome) == asked.said(), body
        assert outcome.completed is not None
        assert outcome.completed.usage.output_tokens == 5
        broken = cut(body[: number * len(body) // 12])
        outcome = await ask_raw(kind, broken)
        assert not passes_for_whole(outcome) or said(outcome) == asked.said(), body
