from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaverd.providers.sse import EventTooLongError, ServerEvent, SseDecoder


def decode(data: bytes, sizes: list[int] | None = None, limit: int = 10_000) -> list[ServerEvent]:
    decoder = SseDecoder(limit)
    events: list[ServerEvent] = []
    start = 0
    for size in sizes or []:
        events += decoder.feed(data[start : start + size])
        start += size
    return events + decoder.feed(data[start:])


# WHATWG HTML 9.2.6, and servers' behaviour.
EXAMPLES = {
    "named": (b"event: ping\ndata: {}\n\n", [(b"ping", b"{}")]),
    "unnamed": (b"data: 1\n\ndata: 2\n\n", [(b"", b"1"), (b"", b"2")]),
    "several data lines": (b"data: a\ndata: b\n\n", [(b"", b"a\nb")]),
    "one space is taken, no more": (b"data:a\n\ndata:  b\n\n", [(b"", b"a"), (b"", b" b")]),
    "comments": (b": keep-alive\n\n:\ndata: a\n\n", [(b"", b"a")]),
    "other fields": (b"id: 1\nretry: 5\nnonsense\ndata: a\n\n", [(b"", b"a")]),
    "a name alone is no event": (b"event: x\n\ndata: a\n\n", [(b"", b"a")]),
    "byte order mark": (b"\xef\xbb\xbfdata: a\n\n", [(b"", b"a")]),
    "CRLF": (b"event: x\r\ndata: a\r\n\r\n", [(b"x", b"a")]),
    "CR": (b"event: x\rdata: a\r\rdata: b\r\r", [(b"x", b"a"), (b"", b"b")]),
    "cut off": (b"data: a\n\ndata: b\n", [(b"", b"a")]),
    "empty data": (b"data:\n\n", [(b"", b"")]),
}


@pytest.mark.parametrize(("data", "expected"), EXAMPLES.values(), ids=EXAMPLES)
def test_streams_are_read(data: bytes, expected: list[tuple[bytes, bytes]]) -> None:
    assert decode(data) == expected


@pytest.mark.parametrize(("data", "expected"), EXAMPLES.values(), ids=EXAMPLES)
def test_every_byte_may_come_alone(data: bytes, expected: list[tuple[bytes, bytes]]) -> None:
    assert decode(data, [1] * len(data)) == expected


values = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\ufeff"), max_size=20).map(
    str.strip
)


@given(
    st.lists(st.tuples(values, st.lists(values, min_size=1, max_size=3)), max_size=6),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.lists(st.integers(1, 9), max_size=60),
)
def test_chunks_never_matter(
    events: list[tuple[str, list[str]]], end: str, sizes: list[int]
) -> None:
    text = "".join(
        f"event: {name}{end}" + "".join(f"data: {line}{end}" for line in lines) + end
        for name, lines in events
    )
    expected = [(name.encode(), "\n".join(lines).encode()) for name, lines in events]
    assert decode(text.encode(), sizes, limit=100_000) == expected


@pytest.mark.parametrize(
    "data",
    [b"data: " + b"x" * 200, b"data: x\n" * 40, b"y" * 200],
    ids=["a long line", "many lines", "a line of nothing"],
)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_an_endless_event_is_refused(data: bytes, size: int) -> None:
    with pytest.raises(EventTooLongError):
        decode(data, [size] * (len(data) // size + 1), limit=100)


def test_a_long_stream_of_short_events_is_not_too_long() -> None:
    assert len(decode(b"data: x\n\n" * 1000, [13] * 600, limit=100)) == 1000


PIECES = (
    b"event: named\ndata: 1\n\n",
    b"data: 2\n\n",
    b"data:3\r\n\r\n",
    b"data: \n\n",
    b"data: x\ndata: y\n\n",
    b"event: nothing\n\n",
    b"event: begun\n",
    b": a comment\n\n",
    b"data: cut",
    b"\r",
)


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=4).map(b"".join), max_size=6))
def test_chunks_of_whole_events_are_read_as_single_bytes_are(chunks: list[bytes]) -> None:
    whole, single = SseDecoder(1000), SseDecoder(1000)
    found = [event for chunk in chunks for event in whole.feed(chunk)]
    body = b"".join(chunks)
    bytewise = [event for place in range(len(body)) for event in single.feed(body[place:][:1])]
    assert found + whole.flush() == bytewise + single.flush()


def test_a_whole_event_that_is_too_long_is_refused_after_others() -> None:
    decoder = SseDecoder(20)
    decoder.feed(b"data: 1\n\n")
    with pytest.raises(EventTooLongError):
        decoder.feed(b"data: 2\n\ndata: %b\n\n" % (b"3" * 21))
    assert decoder.flush() == []
