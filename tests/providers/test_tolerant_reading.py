"""Responses of local servers, read tolerantly, and judged by every sign there is.

Raw bytes over real sockets, through the real SDKs.
"""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import msgspec
import pytest

from palaver.wire.messages import Usage
from palaverd.providers.finish_words import SAID
from palaverd.providers.limits import DEFAULT_LIMITS
from providers.calling import Kind, Outcome
from providers.raw import (
    DONE,
    STREAM,
    answer,
    ask_raw,
    chat,
    chunk,
    cut,
    data,
    good,
    messages,
    responses,
    whole,
)
from support.clock import ManualClock, until

COUNTED = Usage(input_tokens=10, output_tokens=5)
WORDS = ("Hello ", "world.")


def assert_whole(outcome: Outcome, text: str = "Hello world.") -> None:
    assert outcome.error is None, outcome.error
    assert outcome.completed is not None
    assert outcome.text == text
    assert outcome.completed.finish == "stop"
    assert outcome.completed.usage.input_tokens == 10
    assert outcome.completed.usage.output_tokens == 5


def thoughts(outcome: Outcome) -> str:
    return "".join(block.text for block in outcome.blocks if block.kind == "reasoning")


# --- keep-alives ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ping",
    [
        b": keep-alive\n\n",
        b":\n\n",
        b":\n",
        b"data: : keepalive\n\n",
        b"data: ping\n\n",
        b"data: []\n\n",
        b"data: {}\n\n",
        b"data: null\n\n",
        b"data:\n\n",
        b"data\n\n",
        b"event: ping\ndata: {}\n\n",
        b"event: keepalive\n\n",
        b'data: {"type": "ping"}\n\n',
        b'data: {"code": 0, "message": "ok"}\n\n',
        b'data: {"type": "heartbeat", "error": null}\n\n',
        b'data: {"message": "processing"}\n\n',
        b'data: "ping"\n\n',
        b"data: .\n\n",
        b'data: {"type": "keepalive", "sequence_number": 3}\n\n',
        b"id: 7\nretry: 100\n\n",
        b"\n\n",
    ],
)
async def test_whatever_keeps_a_connection_alive_is_passed_over(kind: Kind, ping: bytes) -> None:
    events = good(kind, *WORDS)
    body = ping + ping.join(data(event) for event in events)
    assert_whole(await ask_raw(kind, answer(body)))


# --- what it is -------------------------------------------------------------------------------

TYPES = [
    None,
    "application/json",
    "text/plain; charset=utf-8",
    "application/octet-stream",
    "application/x-ndjson",
    "text/html",
    "Text/Event-Stream;charset=UTF-8",
    "",
]


@pytest.mark.parametrize("content_type", TYPES)
@pytest.mark.parametrize("before", [b"", b": hello\n\n", b"\n\n", b"\xef\xbb\xbf", b"retry: 10\n"])
async def test_a_stream_is_one_whatever_its_headers_say(
    kind: Kind, content_type: str | None, before: bytes
) -> None:
    body = before + data(*good(kind, *WORDS))
    assert_whole(await ask_raw(kind, answer(body, content_type)))


@pytest.mark.parametrize("content_type", [None, "application/json", STREAM, "text/plain"])
@pytest.mark.parametrize("around", [b"", b"\n \n", b"\xef\xbb\xbf"])
async def test_one_whole_answer_is_read(
    kind: Kind, content_type: str | None, around: bytes
) -> None:
    body = around + msgspec.json.encode(whole(kind, "Hello world.")) + around.strip(b"\xef\xbb\xbf")
    assert_whole(await ask_raw(kind, answer(body, content_type)))


async def test_one_whole_answer_may_be_printed_over_several_lines(kind: Kind) -> None:
    body = msgspec.json.format(msgspec.json.encode(whole(kind, "Hello world.")), indent=2)
    assert_whole(await ask_raw(kind, answer(body, "application/json")))


async def test_half_a_whole_answer_is_none(kind: Kind) -> None:
    body = msgspec.json.encode(whole(kind, "Hello world."))
    for end in (10, len(body) - 1):
        error = (await ask_raw(kind, answer(body[:end], "application/json"))).error
        assert error is not None
        assert (error.kind, error.retryable) == ("timeout", True)


async def test_events_without_frames_are_read(kind: Kind) -> None:
    events = [event for event in good(kind, *WORDS) if isinstance(event, dict)]
    body = b"\n".join(map(msgspec.json.encode, events)) + b"\n"
    assert_whole(await ask_raw(kind, answer(body, "application/x-ndjson")))


@pytest.mark.parametrize("content_type", [None, "application/json", STREAM])
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"error": {"type": "overloaded_error", "message": "busy"}}, "overloaded"),
        ({"error": "the model runner has stopped"}, "server_error"),
        ([{"error": {"code": 503, "message": "The model is overloaded."}}], "overloaded"),
        ({"code": 500, "message": "it broke", "type": "server_error"}, "server_error"),
        ({"detail": "Internal error"}, "server_error"),
    ],
)
async def test_an_error_with_status_200_is_an_error(
    kind: Kind, content_type: str | None, error: object, expected: str
) -> None:
    found = (await ask_raw(kind, answer(msgspec.json.encode(error), content_type))).error
    assert found is not None
    assert (found.kind, found.retryable) == (expected, True)


@pytest.mark.parametrize("content_type", [None, "text/html", STREAM, "application/json"])
@pytest.mark.parametrize("body", [b"<!DOCTYPE html><p>Hello", b"<html>" + b"x" * 100_000])
async def test_a_web_page_is_no_provider(kind: Kind, content_type: str | None, body: bytes) -> None:
    error = (await ask_raw(kind, answer(body, content_type))).error
    assert error is not None
    assert (error.kind, error.retryable) == ("config", False)
    assert "is not a model provider" in error.message


@pytest.mark.parametrize("body", [b'{"status": "ok"}', b"[1, 2]", b"7 apples"])
async def test_what_is_no_answer_is_no_provider(kind: Kind, body: bytes) -> None:
    error = (await ask_raw(kind, answer(body, "application/json"))).error
    assert error is not None
    assert error.kind == "config"


@pytest.mark.parametrize("content_type", [None, STREAM, "application/json", "application/jsonl"])
async def test_nothing_at_all_is_tried_again(kind: Kind, content_type: str | None) -> None:
    error = (await ask_raw(kind, answer(b"", content_type))).error
    assert error is not None
    assert (error.kind, error.retryable) == ("timeout", True)


async def test_a_body_that_is_not_packed_as_announced_is_the_servers_fault(kind: Kind) -> None:
    body = data(*good(kind, *WORDS))
    assert_whole(await ask_raw(kind, answer(gzip.compress(body), STREAM, "Content-Encoding: gzip")))
    error = (await ask_raw(kind, answer(body, STREAM, "Content-Encoding: gzip"))).error
    assert error is not None
    assert (error.kind, error.retryable) == ("server_error", True)


# --- framing ----------------------------------------------------------------------------------


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("field", [b"data: ", b"data:", b"data:  "])
async def test_frames_of_every_form_are_read(kind: Kind, newline: bytes, field: bytes) -> None:
    body = data(*good(kind, *WORDS)).replace(b"data: ", field).replace(b"\n", newline)
    assert_whole(await ask_raw(kind, answer(body)))


async def test_empty_lines_may_be_missing(kind: Kind) -> None:
    lines = [line for line in data(*good(kind, *WORDS)).split(b"\n") if line.startswith(b"data")]
    assert_whole(await ask_raw(kind, answer(b"\n".join(lines) + b"\n\n")))


@pytest.mark.parametrize("kind", ["anthropic", "openai"])
async def test_the_names_of_events_may_stand_for_their_types(kind: Kind) -> None:
    body = b"".join(
        f"event: {event['type']}\ndata: ".encode()
        + msgspec.json.encode({name: value for name, value in event.items() if name != "type"})
        + b"\n\n"
        for event in good(kind, *WORDS)
    )
    assert_whole(await ask_raw(kind, answer(body)))


async def test_json_that_is_none_to_the_letter_is_read(kind: Kind) -> None:
    """Python's servers write `NaN` and `-Infinity` into log probabilities."""
    body = data(*good(kind, "a\ttab ", "world."))
    body = body.replace(b"a\\ttab", b"a\ttab").replace(b'"index":0', b'"index":0,"p":-Infinity')
    body = body.replace(b'"output_index":0', b'"output_index":0,"p":[NaN]')
    assert_whole(await ask_raw(kind, answer(body)), "a\ttab world.")


async def test_a_character_that_was_cut_in_two_is_joined(kind: Kind) -> None:
    """Servers in JavaScript split between surrogates."""
    events = good(kind, "one ", "@1", "@2", " two")
    body = data(*events).replace(b"@1", b"\\ud83d").replace(b"@2", b"\\ude00")
    assert_whole(await ask_raw(kind, answer(body)), "one \U0001f600 two")
    alone = data(*events).replace(b"@1", b"\\ud83d").replace(b"@2", b"-")
    assert_whole(await ask_raw(kind, answer(alone)), "one \ufffd- two")


# --- the end ----------------------------------------------------------------------------------


# Responses has its finish word in the terminal event itself.
WORD_BEFORE_END = ["anthropic", "openai-compatible"]


def ends(kind: Kind) -> list[bytes]:
    """Return streams with a finish word that lack something after it."""
    if kind == "anthropic":
        body = data(*messages(*WORDS))
        stop = data({"type": "message_stop"})
        return [
            body.removesuffix(stop),
            body.removesuffix(stop) + DONE,
            body.removesuffix(stop) + b"event: message_st",
            body.removesuffix(stop).removesuffix(b"\n\n"),
            body.removesuffix(b"\n\n"),
            body + DONE,
        ]
    if kind == "openai":
        body = data(*responses(*WORDS))
        return [body, body + DONE, body.removesuffix(b"\n"), body.removesuffix(b"\n\n")]
    body = data(*chat(*WORDS))
    return [
        body,
        body + b"data: [DONE]",
        body + b"data: [DONE]\n",
        body + b"data:[DONE]\n\n",
        body + b'data: "[DONE]"\n\n',
        body + b"data: [DO",
        body.removesuffix(b"\n\n"),
        body + b"event: done\ndata: [DONE]\n\n",
        body + DONE + DONE,
        body.removesuffix(b"\n") + DONE,
    ]


async def test_a_finish_word_is_enough(kind: Kind) -> None:
    for body in ends(kind):
        assert_whole(await ask_raw(kind, answer(body)))
        assert_whole(await ask_raw(kind, cut(body)))


@pytest.mark.parametrize("kind", WORD_BEFORE_END)
async def test_behind_a_finish_word_nobody_waits_for_long(kind: Kind) -> None:
    clock = ManualClock()
    task = asyncio.create_task(ask_raw(kind, (answer(ends(kind)[0]), None), clock=clock))
    await until(lambda: DEFAULT_LIMITS.closing in clock.waits())
    clock.advance(DEFAULT_LIMITS.closing)
    assert_whole(await task)


@pytest.mark.parametrize("kind", WORD_BEFORE_END)
async def test_a_word_that_text_follows_is_no_finish_word(kind: Kind) -> None:
    events = [one for one in good(kind, *WORDS) if isinstance(one, dict)]
    (end,) = (one for one in events if "stop" in str(one.get("delta") or one.get("choices")))
    text = next(number for number, one in enumerate(events) if "world." in str(one))
    early = [*events[:text], end, events[text]]
    error = (await ask_raw(kind, answer(data(*early)))).error
    assert error is not None
    assert (error.kind, error.retryable) == ("timeout", True)
    assert_whole(await ask_raw(kind, answer(data(*early, *events[text + 1 :]))))


@pytest.mark.parametrize("kind", WORD_BEFORE_END)
async def test_an_error_behind_the_finish_word_counts(kind: Kind) -> None:
    body = ends(kind)[0] + data({"error": {"type": "overloaded_error", "message": "busy"}})
    error = (await ask_raw(kind, answer(body))).error
    assert error is not None
    assert error.kind == "overloaded"


async def test_what_ends_before_any_sign_is_not_whole(kind: Kind) -> None:
    events = [one for one in good(kind, *WORDS, thought="h|m") if isinstance(one, dict)]
    sign = {"anthropic": 2, "openai": 1, "openai-compatible": 2}[kind]
    for end in range(len(events) - sign + 1):
        for body in (answer(data(*events[:end])), cut(data(*events[:end]))):
            error = (await ask_raw(kind, body)).error
            assert error is not None, end
            assert (error.kind, error.retryable) == ("timeout", True)


@pytest.mark.parametrize("kind", ["anthropic", "openai", "openai-compatible"])
async def test_an_end_without_a_finish_word_is_marked(kind: Kind) -> None:
    if kind == "anthropic":
        bodies = [data(*messages(*WORDS, finish=None))]
        bodies += [data(*messages(*WORDS, finish=word)) for word in ("", "null")]
    elif kind == "openai":
        bodies = [data(*responses(*WORDS)[:-1], DONE)]
    else:
        bodies = [data(*chat(*WORDS, finish=word), DONE) for word in (None, "", "null", False)]
    for body in bodies:
        outcome = await ask_raw(kind, answer(body))
        assert outcome.text == "Hello world."
        assert outcome.completed is not None
        assert (outcome.completed.finish, outcome.completed.word) == ("unknown", None)


FINISHES = [
    ("stop", "stop"),
    ("STOP", "stop"),
    ("end_turn", "stop"),
    ("eos_token", "stop"),
    ("length", "length"),
    ("max_tokens", "length"),
    ("MAX_TOKENS", "length"),
    ("model_length", "length"),
    ("model_context_window_exceeded", "length"),
    ("content_filter", "content_filter"),
    ("content-filter", "content_filter"),
    ("sensitive", "content_filter"),
    ("safety", "content_filter"),
    ("SAFETY", "content_filter"),
    ("refusal", "content_filter"),
    ("recitation", "content_filter"),
    ("guardrail_intervened", "content_filter"),
]
GIVEN_UP = ["error", "ERROR", "abort", "network_error", "insufficient_system_resource", "cancelled"]


def finishing(kind: Kind, word: Any) -> bytes:
    if kind == "anthropic":
        return data(*messages(*WORDS, finish=word))
    if kind == "openai":
        events = responses(*WORDS, status="incomplete")
        events[-1]["response"]["incomplete_details"] = {"reason": word}
        return data(*events)
    return data(*chat(*WORDS, finish=word), DONE)


@pytest.mark.parametrize(("word", "finish"), FINISHES)
async def test_a_word_means_the_same_in_every_protocol(kind: Kind, word: str, finish: str) -> None:
    outcome = await ask_raw(kind, answer(finishing(kind, word)))
    assert outcome.completed is not None
    assert outcome.completed.finish == finish
    assert outcome.completed.word is None
    assert outcome.text == "Hello world."


@pytest.mark.parametrize("word", GIVEN_UP)
async def test_an_answer_that_was_given_up_is_tried_again(kind: Kind, word: str) -> None:
    error = (await ask_raw(kind, answer(finishing(kind, word)))).error
    assert error is not None
    assert (error.kind, error.retryable) == ("server_error", True)
    assert word in (error.detail or "")


@pytest.mark.parametrize("word", ["brand_new", "x" * 500, 17])
async def test_a_word_that_is_not_known_is_handed_on(kind: Kind, word: Any) -> None:
    outcome = await ask_raw(kind, answer(finishing(kind, word)))
    assert outcome.completed is not None
    assert outcome.completed.finish == "unknown"
    assert outcome.completed.word == str(word)[:60]


def test_no_word_means_two_things() -> None:
    said = [word for words in SAID.values() for word in words]
    assert len(said) == len(set(said))
    assert all(word == word.lower().replace("-", "_") for word in said)
    assert all(source for words in SAID.values() for source in words.values())


async def test_a_later_stop_does_not_make_whole_what_was_cut() -> None:
    body = data(*chat(*WORDS, finish="length"), chunk("stop"), DONE)
    outcome = await ask_raw("openai-compatible", answer(body))
    assert outcome.completed is not None
    assert outcome.completed.finish == "length"


async def test_a_finish_word_may_be_wrapped() -> None:
    body = data(*chat(*WORDS, finish={"type": "length", "length": 9}), DONE)
    outcome = await ask_raw("openai-compatible", answer(body))
    assert outcome.completed is not None
    assert outcome.completed.finish == "length"


@pytest.mark.parametrize("word", ["content_filter", "sensitive", "safety"])
async def test_a_filter_without_text_is_an_error(kind: Kind, word: str) -> None:
    if kind == "openai":
        last = {"status": "incomplete", "incomplete_details": {"reason": word}}
        body = data({"type": "response.incomplete", "response": last})
    elif kind == "anthropic":
        body = data(messages()[0], *messages(finish=word)[-2:])
    else:
        body = data(*chat(finish=word), DONE)
    error = (await ask_raw(kind, answer(body))).error
    assert error is not None
    assert (error.kind, error.retryable) == ("content_filter", False)


# --- errors inside a stream -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (b'data: {"error": "model runner has unexpectedly stopped"}\n\n', "server_error"),
        (b'data: {"error": {"message": "CUDA error"}}\n\n', "server_error"),
        (b'event: error\ndata: {"code": 500, "message": "m", "type": "server_error"}\n\n', None),
        (b'data: {"code": 500, "message": "m", "type": "server_error"}\n\n', "server_error"),
        (b'event: error\ndata: {"message": "slot was lost"}\n\n', "server_error"),
        (b'data: {"type": "error", "error": {"type": "overloaded_error"}}\n\n', "overloaded"),
        (b'data: {"object": "error", "message": "died", "code": 50001}\n\n', "server_error"),
        (b'data: [{"error": {"code": 503, "message": "overloaded"}}]\n\n', "overloaded"),
        (b'data: {"detail": "Internal Server Error"}\n\n', "server_error"),
        (b'data: {"base_resp": {"status_code": 1000, "status_msg": "x"}}\n\n', "server_error"),
        (b'data: {"error": true, "message": "broke"}\n\n', "server_error"),
        (b'data: {"success": false, "errors": [{"code": 7, "message": "m"}]}\n\n', "server_error"),
        (b'data: {"error_code": 336000, "error_msg": "Internal error"}\n\n', "server_error"),
        (b'data: {"status": "error", "message": "broke"}\n\n', "server_error"),
        (b"event: error\ndata: upstream timed out\n\n", "timeout"),
        (b"data: {half a thought\n\n", "server_error"),
    ],
)
async def test_an_error_in_the_middle_is_one(
    kind: Kind, error: bytes, expected: str | None
) -> None:
    events = good(kind, *WORDS)
    for at in range(len(events) - 2):
        body = data(*events[:at]) + error
        for rest in (b"", DONE):
            found = (await ask_raw(kind, answer(body + rest))).error
            assert found is not None
            assert (found.kind, found.retryable) == (expected or "server_error", True)


@pytest.mark.parametrize("error", [None, "", {}, [], 0, False, {"code": None, "message": ""}])
async def test_an_error_that_says_nothing_is_none(kind: Kind, error: object) -> None:
    events = [e | {"error": error} if isinstance(e, dict) else e for e in good(kind, *WORDS)]
    assert_whole(await ask_raw(kind, answer(data(*events))))


@pytest.mark.parametrize("deep", ["[" * 20_000, '{"a":' * 20_000, "[" * 20_000 + "]" * 20_000])
async def test_what_is_deep_beyond_all_measure_is_the_servers_fault(kind: Kind, deep: str) -> None:
    first, *rest = good(kind, *WORDS)
    for body in (f'{{"new":{deep}}}', f'{{"error":{deep}}}'):
        sent = data(first, f"data: {body}\n\n".encode(), *rest)
        error = (await ask_raw(kind, answer(sent))).error
        assert error is not None
        assert (error.kind, error.retryable) == ("server_error", True)


# --- counts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "expected"),
    [(5, 5), (5.0, 5), ("5", 5), (5.5, None), (-1, None), (None, None), ([], None), (1e30, None)],
)
async def test_counts_are_read_where_they_are_counts(
    kind: Kind, count: object, expected: int | None
) -> None:
    events: list[Any] = good(kind, *WORDS)
    if kind == "anthropic":
        del events[0]["message"]["usage"]
        events[-2]["usage"] = {"input_tokens": 10, "output_tokens": count, "x": {}}
    elif kind == "openai":
        events[-1]["response"]["usage"] |= {"output_tokens": count, "input_tokens_details": []}
    else:
        events[-2]["usage"] |= {"completion_tokens": count, "prompt_tokens_details": []}
    outcome = await ask_raw(kind, answer(data(*events)))
    assert outcome.text == "Hello world."
    assert outcome.completed is not None
    assert outcome.completed.usage.output_tokens == expected
    assert outcome.completed.usage.input_tokens == 10


async def test_a_count_of_nothing_takes_none_back(kind: Kind) -> None:
    """Gateways send 0 for counts that they do not know."""
    events: list[Any] = good(kind, *WORDS)
    if kind == "anthropic":
        events[-2]["usage"] |= {"input_tokens": 0}
    elif kind == "openai-compatible":
        zero = {"prompt_tokens": 0, "completion_tokens": None}
        events.insert(-1, {"choices": [], "usage": zero})
    assert_whole(await ask_raw(kind, answer(data(*events))))


@pytest.mark.parametrize(
    ("fields", "usage"),
    [
        ({"choices": None, "usage": {"prompt_tokens": 10, "completion_tokens": 5}}, COUNTED),
        ({"choices": [None], "usage": {"prompt_tokens": 10, "completion_tokens": 5}}, COUNTED),
        ({"usage": {"prompt_tokens": 10, "completion_tokens": 5}}, COUNTED),
        ({"x_groq": {"usage": {"prompt_tokens": 10, "completion_tokens": 5}}}, COUNTED),
        (
            {"choices": [{"usage": {"prompt_tokens": 10, "completion_tokens": 5}}]},
            COUNTED,
        ),
        (
            {
                "usage": {
                    "prompt_tokens": 10,
                    "prompt_cache_hit_tokens": 4,
                    "prompt_cache_miss_tokens": 6,
                    "completion_tokens": 5,
                }
            },
            Usage(input_tokens=6, output_tokens=5, cache_read_tokens=4),
        ),
        (
            {"timings": {"prompt_n": 6, "cache_n": 4, "predicted_n": 5, "predicted_ms": 7.5}},
            Usage(input_tokens=6, output_tokens=5, cache_read_tokens=4),
        ),
        ({"usage": 7}, Usage()),
        ({"usage": []}, Usage()),
    ],
)
async def test_counts_stand_in_many_places(fields: dict[str, Any], usage: Usage) -> None:
    body = data(*chat(*WORDS, usage=None), fields, DONE)
    outcome = await ask_raw("openai-compatible", answer(body))
    assert outcome.text == "Hello world."
    assert outcome.completed is not None
    assert outcome.completed.usage == usage


# --- Chat Completions -------------------------------------------------------------------------

TEXT = {"type": "text", "text": "Four."}


@pytest.mark.parametrize(
    ("deltas", "reasoning"),
    [
        (
            [
                {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]},
                {"content": [TEXT]},
            ],
            "hm",
        ),
        ([{"content": [{"type": "thinking", "thinking": "hm"}, TEXT]}], "hm"),
        ([{"content": [TEXT]}], ""),
        ([{"content": [TEXT, {"type": "reference", "reference_ids": [1]}]}], ""),
        ([{"content": ["Fo", "ur."]}], ""),
        ([{"content": TEXT}], ""),
        ([{"content": [{"type": "output_text", "text": "Four."}]}], ""),
        ([{"reasoning_content": [{"type": "text", "text": "hm"}]}, {"content": "Four."}], "hm"),
        ([{"reasoning_content": "hm", "reasoning": "hm"}, {"content": "Four."}], "hm"),
        ([{"reasoning": {"content": "hm"}}, {"content": "Four."}], "hm"),
        (
            [
                {"reasoning_details": [{"type": "reasoning.text", "text": "hm"}]},
                {"content": "Four."},
            ],
            "hm",
        ),
        ([{"content": None, "reasoning_content": "hm"}, {"content": "Four.", "x": 1}], "hm"),
        ([{"content": 7}, {"content": "Four.", "tool_calls": None, "refusal": None}], ""),
        ([{"content": [{"type": "text", "text": {"value": "Four."}}]}], ""),
        ([{"text": "Four."}], ""),
        ([{"content": None, "text": "Four."}], ""),
        (["Four."], ""),
        ([None, {"content": "Four."}], ""),
    ],
)
async def test_text_stands_in_many_places(deltas: list[Any], reasoning: str) -> None:
    chunks = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    outcome = await ask_raw("openai-compatible", answer(data(*chunks, chunk("stop"), DONE)))
    assert outcome.text == "Four."
    assert thoughts(outcome) == reasoning
    assert outcome.completed is not None


@pytest.mark.parametrize("delta", [None, {}, ...])
async def test_the_older_completions_are_read(delta: object) -> None:
    events = [{"choices": [{"index": 0, "text": text, "delta": delta}]} for text in WORDS]
    for event in events if delta is ... else ():
        del event["choices"][0]["delta"]
    assert_whole(await ask_raw("openai-compatible", answer(data(*events, *chat()[-2:], DONE))))


@pytest.mark.parametrize("index", [None, "0", 1, -1, 7.5, ...])
async def test_the_number_of_the_only_choice_says_nothing(index: object) -> None:
    events = chat(*WORDS)
    for number, event in enumerate(events):
        for choice in event["choices"]:
            if index is ...:
                choice["index"] = number
            else:
                choice["index"] = index
            if index is None and number % 2:
                del choice["index"]
    assert_whole(await ask_raw("openai-compatible", answer(data(*events, DONE))))


@pytest.mark.parametrize(
    "fields",
    [
        {"model": 7},
        {"model": None},
        {"id": 3, "object": None, "created": "x"},
        {"service_tier": []},
    ],
)
async def test_what_the_answer_does_not_hang_on_may_be_anything(fields: dict[str, Any]) -> None:
    events = [event | fields for event in chat(*WORDS)]
    assert_whole(await ask_raw("openai-compatible", answer(data(*events, DONE))))


async def test_an_answer_may_come_as_a_message_only() -> None:
    """Some servers repeat the whole text so far."""
    messages_so_far = [
        {"choices": [{"index": 0, "message": {"role": "assistant", "content": text}}]}
        for text in ("Hello ", "Hello world.")
    ]
    for stream in (messages_so_far, [a | {"x": 1} for a in messages_so_far]):
        body = data(*stream, *chat()[-2:], DONE)
        assert_whole(await ask_raw("openai-compatible", answer(body)))
    both = [chunk(content="Hello "), chunk(content="world."), messages_so_far[-1]]
    assert_whole(await ask_raw("openai-compatible", answer(data(*both, *chat()[-2:], DONE))))


def calling(*calls: Any) -> bytes:
    return data(*(chunk(tool_calls=[one]) for one in calls), chunk("tool_calls"), DONE)


def part(index: Any, call_id: Any, name: Any, arguments: Any) -> dict[str, Any]:
    return {"index": index, "id": call_id, "function": {"name": name, "arguments": arguments}}


@pytest.mark.parametrize(
    "pieces",
    [
        [part(0, "a", "f", '{"x"'), part(0, None, None, ":1}"), part(1, "b", "g", '{"y":2}')],
        [
            part(None, "a", "f", '{"x"'),
            part(None, None, None, ":1}"),
            part(None, "b", "g", '{"y":2}'),
        ],
        [part(0, "a", "f", '{"x"'), part(0, "a", "f", ":1}"), part(0, "b", "g", '{"y":2}')],
        [part(0, "", "f", '{"x":1}'), part(0, "", "g", '{"y":2}')],
        [part("0", "a", "f", '{"x":1}'), part("1", "b", "g", '{"y":2}')],
        [part(0, "a", "f", '{"x"'), part(0, "c", "f", ":1}"), part(1, "b", "g", '{"y":2}')],
        [part(0, "a", "f", {"x": 1}), part(1, "b", "g", {"y": 2})],
        [part(0, "a", "f", '{"x"'), part(0, "other", None, ":1}"), part(1, "b", "g", '{"y":2}')],
    ],
)
async def test_calls_are_told_apart_however_they_are_numbered(pieces: list[Any]) -> None:
    outcome = await ask_raw("openai-compatible", answer(calling(*pieces)))
    calls = [block for block in outcome.blocks if block.kind == "tool_call"]
    assert [(one.name, msgspec.json.decode(one.text)) for one in calls] == [
        ("f", {"x": 1}),
        ("g", {"y": 2}),
    ]
    assert outcome.completed is not None
    assert outcome.completed.finish == "tool_calls"


@pytest.mark.parametrize("ids", [("", ""), (None, None), ("a", "b")])
async def test_calls_of_one_function_are_told_apart(ids: tuple[Any, Any]) -> None:
    pieces = [part(0, ids[0], "f", '{"x":1}'), part(0, ids[1], "f", '{"y":2}')]
    outcome = await ask_raw("openai-compatible", answer(calling(*pieces)))
    assert [block.text for block in outcome.blocks] == ['{"x":1}', '{"y":2}']


# --- Responses --------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, -1, None, "text", "down", "late", "missing"])
async def test_numbers_that_a_gateway_broke_lose_nothing(number: object) -> None:
    events = responses("ha", "ha", "ha", "!", "!", thought="h|m")
    for place, event in enumerate(events):
        event["sequence_number"] = {
            "text": str(place),
            "down": 100 - place,
            "late": place or 100,
        }.get(str(number), number)
        if number == "missing":
            del event["sequence_number"]
    outcome = await ask_raw("openai", answer(data(*events)))
    assert_whole(outcome, "hahaha!!")
    assert thoughts(outcome) == "hm"


async def test_a_word_that_is_said_twice_is_none_that_was_delivered_twice() -> None:
    delta = {"type": "response.output_text.delta", "sequence_number": 0, "delta": "ha"}
    last = responses()[-1] | {"sequence_number": 0}
    last["response"]["output"] = []
    for where in ({}, {"output_index": 0, "content_index": 0}):
        body = answer(data(delta | where, delta | where, delta | where, last))
        assert_whole(await ask_raw("openai", body), "hahaha")


async def test_an_event_that_is_delivered_twice_counts_once() -> None:
    events = [event for event in responses("ha", "ha", thought="h|m") for _ in range(2)]
    outcome = await ask_raw("openai", answer(data(*events)))
    assert_whole(outcome, "haha")
    assert thoughts(outcome) == "hm"


PLACES = [
    "output_text.delta",
    "output_text.done",
    "content_part.done",
    "output_item.done",
    "completed",
]


@pytest.mark.parametrize("place", PLACES)
async def test_the_text_is_read_wherever_it_comes(place: str) -> None:
    """Only one of the five places has it."""
    events = responses(*WORDS, thought="hm")
    kept = []
    for event in events:
        name = event["type"].removeprefix("response.")
        if name in PLACES[:4] and name != place and not event.get("item", {}).get("summary"):
            continue
        if name == "completed" and place != "completed":
            event["response"]["output"] = []
        kept.append(event)
    outcome = await ask_raw("openai", answer(data(*kept)))
    assert_whole(outcome)
    assert thoughts(outcome) == "hm"


async def test_deltas_that_were_lost_come_with_the_whole_text() -> None:
    events = responses("Hello ", "wor", "ld.")
    del events[5]
    assert_whole(await ask_raw("openai", answer(data(*events))))


@pytest.mark.parametrize(
    "where", [{}, {"output_index": None}, {"output_index": 0}, {"item_id": "?"}]
)
async def test_items_are_told_apart_however_they_are_numbered(where: dict[str, Any]) -> None:
    events = responses(*WORDS, thought="h|m")
    for event in events:
        if "output_index" in event:
            if not where:
                del event["output_index"]
            event.update({name: value for name, value in where.items() if name in event})
    outcome = await ask_raw("openai", answer(data(*events)))
    assert_whole(outcome)
    assert thoughts(outcome) == "hm"
    assert outcome.blocks[0].private is not None


async def test_completed_at_the_limit_is_cut() -> None:
    """As llama.cpp and transformers serve send it."""
    body = answer(data(*responses(*WORDS)))
    for limit, finish in ((5, "length"), (6, "stop")):
        outcome = await ask_raw("openai", body, max_output_tokens=limit)
        assert outcome.completed is not None
        assert outcome.completed.finish == finish


@pytest.mark.parametrize("status", ["failed", "cancelled"])
async def test_a_status_counts_more_than_the_events_name(status: str) -> None:
    events = responses(*WORDS)
    events[-1]["response"]["status"] = status
    error = (await ask_raw("openai", answer(data(*events)))).error
    assert error is not None
    assert (error.kind, error.retryable) == ("server_error", True)


async def test_an_answer_that_is_all_reasoning_is_cut_and_keeps_what_its_provider_wants() -> None:
    events = responses(thought="h|m", status="incomplete")
    item = next(number for number, e in enumerate(events) if "message" in str(e.get("item")))
    last = events[-1]
    del last["response"]["output"][-1]
    outcome = await ask_raw("openai", answer(data(*events[:item], last)))
    assert outcome.completed is not None
    assert outcome.completed.finish == "length"
    (block,) = outcome.blocks
    assert (block.kind, block.text) == ("reasoning", "hm")
    assert "sealed" in (block.private or "")


async def test_a_terminal_event_may_be_bare() -> None:
    events = responses(*WORDS)
    bares: list[dict[str, Any]] = [{}, {"response": None}, {"response": {}}]
    for bare in bares:
        outcome = await ask_raw(
            "openai", answer(data(*events[:-1], {"type": "response.completed", **bare}))
        )
        assert outcome.text == "Hello world."
        assert outcome.completed is not None
        assert outcome.completed.finish == "stop"


# --- Messages ---------------------------------------------------------------------------------


@pytest.mark.parametrize("numbers", ["none", "null", "zero", "text", "shifted"])
async def test_blocks_are_told_apart_however_they_are_numbered(numbers: str) -> None:
    events = messages(*WORDS, thought="h|m")
    for event in events:
        if "index" not in event:
            continue
        index = event["index"]
        event["index"] = {"null": None, "zero": 0, "text": str(index), "shifted": index + 1}.get(
            numbers, 0
        )
        if numbers == "none":
            del event["index"]
    outcome = await ask_raw("anthropic", answer(data(*events)))
    assert_whole(outcome)
    assert thoughts(outcome) == "hm"
    assert "sig" in (outcome.blocks[0].private or "")


@pytest.mark.parametrize("lost", ["content_block_start", "content_block_stop", "message_start"])
async def test_what_frames_blocks_may_be_missing(lost: str) -> None:
    events = [one for one in messages(*WORDS, thought="h|m") if one["type"] != lost]
    outcome = await ask_raw("anthropic", answer(data(*events)))
    assert outcome.text == "Hello world."
    assert thoughts(outcome) == "hm"
    assert outcome.completed is not None
    assert outcome.completed.usage.output_tokens == 5


async def test_blocks_with_one_number_may_lack_their_ends() -> None:
    events = [one for one in messages(*WORDS, thought="h|m") if one["type"] != "content_block_stop"]
    events = [one | {"index": 0} if "index" in one else one for one in events]
    again = events.index(next(one for one in events if "text_delta" in str(one)))
    events[again + 1 : again + 1] = [
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    ]
    outcome = await ask_raw("anthropic", answer(data(*events)))
    assert_whole(outcome)
    assert [block.text for block in outcome.blocks] == ["hm", "Hello ", "world."]
    assert "sig" in (outcome.blocks[0].private or "")


async def test_two_blocks_may_be_open_at_once() -> None:
    """llama.cpp closes the thinking after the text, with an empty signature."""
    events = messages(*WORDS, thought="h|m")
    stop = next(one for one in events if one["type"] == "content_block_stop")
    sign = next(one for one in events if one.get("delta", {}).get("type") == "signature_delta")
    events.remove(stop)
    events.remove(sign)
    sign["delta"]["signature"] = ""
    events[-2:-2] = [sign, stop]
    outcome = await ask_raw("anthropic", answer(data(*events)))
    assert_whole(outcome)
    assert thoughts(outcome) == "hm"
    assert outcome.blocks[0].private is None


@pytest.mark.parametrize(
    ("pieces", "arguments"),
    [
        ('"x": |1}', '{"x": 1}'),
        ('| "x": 1}', '{ "x": 1}'),
        ('{|"x": 1}', '{"x": 1}'),
        ('"{\\"x\\": 1}"', '"{\\"x\\": 1}"'),
        ("{}", "{}"),
    ],
)
async def test_the_brace_that_a_gateway_dropped_is_back(pieces: str, arguments: str) -> None:
    answered = await ask_raw("anthropic", answer(data(*messages("Hi", call=pieces))))
    assert answered.blocks[-1].text == arguments


async def test_a_call_may_come_whole() -> None:
    block = {"type": "tool_use", "id": "t1", "name": "f", "input": {"x": 1}}
    start = {"type": "content_block_start", "index": 0, "content_block": block}
    stop = {"type": "content_block_stop", "index": 0}
    events = [messages()[0], start, stop, *messages(finish="tool_use")[-2:]]
    outcome = await ask_raw("anthropic", answer(data(*events)))
    assert [(one.name, one.text) for one in outcome.blocks] == [("f", '{"x":1}')]


# --- ignored data -----------------------------------------------------------------------------


async def test_what_is_thrown_away_is_logged_once(
    kind: Kind, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = "sk-0123456789abcdef"
    ping = f"data: : lost {secret} {'x' * 5000}\n\n".encode()
    body = ping * 3 + data(*good(kind, *WORDS))
    assert_whole(await ask_raw(kind, answer(body)))
    told = [line for line in capsys.readouterr().out.splitlines() if "thrown away" in line]
    assert len(told) == 1
    assert ": lost" in told[0]
    assert secret not in told[0]
    assert len(told[0]) < 1000


# --- mistyped deltas, and a last word in another place ----------------------------------------


@pytest.mark.parametrize(
    "form",
    [
        lambda text: text,
        lambda text: [text],
        lambda text: [{"text": text}],
        lambda text: {"type": "text", "text": text},
        lambda text: {"type": "output_text_delta", "text": text},
    ],
)
@pytest.mark.parametrize("kind", WORD_BEFORE_END)
async def test_text_of_a_mistyped_delta_is_not_lost(kind: Kind, form: Any) -> None:
    events: list[Any] = good(kind, *WORDS)
    for event in events:
        if not isinstance(event, dict):
            continue
        if event.get("type") == "content_block_delta":
            event["delta"] = form(event["delta"]["text"])
        for choice in event.get("choices", ()):
            if text := choice["delta"].get("content"):
                choice["delta"] = form(text)
    assert_whole(await ask_raw(kind, answer(data(*events))))


@pytest.mark.parametrize("place", ["event", "message"])
@pytest.mark.parametrize(("word", "finish"), [("end_turn", "stop"), ("max_tokens", "length")])
async def test_message_stop_may_say_how_it_ended(place: str, word: str, finish: str) -> None:
    last = {"stop_reason": word, "usage": {"input_tokens": 10, "output_tokens": 5}}
    ended = last if place == "event" else {"message": last}
    body = data(*messages(*WORDS)[:-2], {"type": "message_stop", **ended})
    outcome = await ask_raw("anthropic", answer(body))
    assert outcome.text == "Hello world."
    assert outcome.completed is not None
    assert outcome.completed.finish == finish
    assert outcome.completed.usage.output_tokens == 5
