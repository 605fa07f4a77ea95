"""Newline-delimited JSON: read live, in every protocol, and never mistaken for one JSON answer."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaverd.providers.body import Body
from palaverd.providers.json_lines import JsonLineDecoder
from palaverd.providers.neutral import Completed, Delta
from palaverd.providers.sse import EventTooLongError
from providers.calling import KINDS, Kind, ask, made
from providers.changing import TYPES, chunked
from providers.raw import STREAM, answer, good, read_request, whole
from providers.test_changed_streams import Answer, answers, kinds, passes_for_whole, read, said
from support.examples import examples

LINES = "application/x-ndjson"


def lines(kind: Kind, *texts: str) -> list[bytes]:
    """Return a valid stream as lines of JSON objects, without line ends."""
    return [msgspec.json.encode(one) for one in good(kind, *texts) if isinstance(one, dict)]


@pytest.mark.parametrize("content_type", [LINES, "application/json", STREAM])
async def test_the_first_words_arrive_before_the_last_line_is_sent(
    kind: Kind, content_type: str
) -> None:
    *most, last = lines(kind, "Hello ", "world.")
    heard = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer(b"\n".join(most) + b"\n", content_type))
        await writer.drain()
        await heard.wait()
        writer.write(last + b"\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    text, completed = "", None
    async with (
        server,
        asyncio.timeout(20),
        made(kind, url) as provider,
        aclosing(provider.stream(ask("hi"))) as events,
    ):
        async for event in events:
            match event:
                case Delta(_, piece):
                    text += piece
                    heard.set()
                case Completed():
                    completed = event
    assert text == "Hello world."
    assert completed is not None
    assert completed.finish == "stop"


@examples(200)
@given(kinds, answers, st.integers(0, 2**32).map(Random), st.sampled_from([*TYPES, LINES]))
def test_lines_are_read_wherever_they_are_cut(
    kind: Kind, answer: Answer, random: Random, content_type: str
) -> None:
    events = [one for one in answer.good(kind) if isinstance(one, dict)]
    newline = random.choice((b"\n", b"\r\n", b"\r", b"\n\n", b" \n"))
    body = random.choice((b"", b"\xef\xbb\xbf", b"\n")) + newline.join(
        map(msgspec.json.encode, events)
    )
    outcome = read(kind, chunked(body + random.choice((b"", newline)), random), content_type)
    assert outcome.error is None, body
    assert said(outcome) == answer.said(), body
    broken = read(kind, chunked(body[: random.randrange(len(body))], random), content_type)
    if passes_for_whole(broken):
        assert said(broken) == answer.said(), body


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("content_type", ["application/json", LINES])
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n \r\n"])
def test_one_answer_stays_one_wherever_it_is_cut(kind: Kind, content_type: str, end: bytes) -> None:
    compact = msgspec.json.encode(whole(kind, "Hello world."))
    # In the last one a line ends before a `{`, but not the object.
    forms = (
        compact,
        msgspec.json.format(compact, indent=2),
        compact.replace(b":[{", b":[\n{"),
    )
    for form in forms:
        body = form + end
        for at in range(0, len(body), 7):
            outcome = read(kind, [body[:at], body[at:]], content_type)
            assert outcome.error is None, (body, at)
            assert outcome.text == "Hello world."


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("more", [b"and more", b"<p>", b"}"])
def test_an_answer_with_something_else_behind_it_is_not_taken_for_lines(
    kind: Kind, more: bytes
) -> None:
    error = read(kind, [msgspec.json.encode(whole(kind, "Hello.")), b"\n", more]).error
    assert error is not None
    assert (error.kind, error.retryable) == ("server_error", True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("content_type", ["application/json", LINES, STREAM])
@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n"])
def test_one_line_with_an_error_is_the_error(kind: Kind, content_type: str, end: bytes) -> None:
    body = b'{"error":{"type":"overloaded_error","message":"busy"}}' + end
    for chunks in ([body], [body[:-1], body[-1:]], [bytes([one]) for one in body]):
        error = read(kind, chunks, content_type).error
        assert error is not None
        assert (error.kind, error.retryable) == ("overloaded", True)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_in_a_later_line_is_one(kind: Kind) -> None:
    body = b"\n".join([*lines(kind, "a", "b")[:-2], b'{"error": "the model runner has stopped"}'])
    outcome = read(kind, [body], LINES)
    assert outcome.error is not None
    assert outcome.error.kind == "server_error"


@pytest.mark.parametrize("kind", KINDS)
def test_half_a_line_in_the_middle_is_an_error(kind: Kind) -> None:
    events = lines(kind, "a", "b")
    for at in range(1, len(events) - 2):
        body = b"\n".join([*events[:at], b"{half", *events[at:]]) + b"\n"
        assert read(kind, [body], LINES).error is not None, at


@pytest.mark.parametrize("kind", KINDS)
def test_a_line_of_another_program_before_a_framed_one_loses_nothing(kind: Kind) -> None:
    first, second, *rest = lines(kind, "a", "b")
    body = b"\n".join([first, second, *(b"data: " + one for one in rest)])
    assert read(kind, [body], LINES).text == "ab"


def test_many_short_lines_are_not_too_long_and_one_long_line_is() -> None:
    body = Body(LINES, limit=100)
    assert body.feed(b'{"a":1}\n') == []
    assert len(body.feed(b'{"a":2}\n')) == 2
    assert sum(len(body.feed(b'{"a":3}\n')) for _ in range(100)) == 100
    assert body.feed(b'{"a":"' + b"x" * 90) == []
    with pytest.raises(EventTooLongError):
        body.feed(b"x" * 9)
    assert body.flush() == []


@pytest.mark.parametrize("chunk", [b"x" * 101, b"x" * 101 + b"\n", b"{}\n" + b"x" * 101])
def test_a_line_is_bounded_wherever_it_ends(chunk: bytes) -> None:
    with pytest.raises(EventTooLongError):
        JsonLineDecoder(100).feed(chunk)


def test_a_first_line_is_bounded() -> None:
    body = Body(LINES, limit=100)
    body.feed(b'{"a":"')
    with pytest.raises(EventTooLongError):
        body.feed(b"x" * 100)
