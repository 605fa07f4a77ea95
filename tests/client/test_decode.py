"""A client reads what a newer daemon sends, and logs what it skipped."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaver.wire import decode
from palaver.wire.chats import Chat, ChatPage, Versions
from palaver.wire.errors import ChatError
from palaver.wire.events import (
    CaughtUp,
    ChatCreated,
    ErrorEvent,
    MessageEvent,
    RetryEvent,
    StatusEvent,
)
from palaver.wire.messages import PICTURE_BYTES, Message, Picture, Text, ToolResult

WHEN = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
VERSIONS = Versions(snapshot=4, history=3, turn=2, queue=1, retry=0)
MESSAGE = Message(id=7, role="assistant", parts=[Text("hello")], revision=4, created_at=WHEN)
CHAT = Chat(
    id="c1", title="t", status="waiting", created_at=WHEN, updated_at=WHEN, versions=VERSIONS
)


def plain(value: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))


def frame(*events: Any) -> bytes:
    return msgspec.json.encode(list(events))


def test_a_frame_of_known_events_is_decoded_whole() -> None:
    events = [MessageEvent(MESSAGE), CaughtUp(4)]
    assert decode.stream_frame(frame(*events)) == (events, ())


def test_an_unknown_event_type_is_left_out_and_named() -> None:
    decoded = decode.stream_frame(frame({"type": "weather", "sun": True}, plain(CaughtUp(4))))
    assert decoded.value == [CaughtUp(4)]
    assert decoded.skipped == ("$[0].type=weather",)


def test_unknown_fields_are_ignored() -> None:
    decoded = decode.stream_frame(frame(plain(CaughtUp(4)) | {"moon": [1]}))
    assert decoded == ([CaughtUp(4)], ())


def test_an_error_that_an_older_daemon_wrote_with_an_action_is_understood() -> None:
    event = plain(ErrorEvent(ChatError("rate_limit", "Later.", retry_after_ms=700_000)))
    event["error"] |= {"action": "schedule"}
    decoded = decode.stream_frame(frame(event))
    assert decoded.value == [ErrorEvent(ChatError("rate_limit", "Later.", retry_after_ms=700_000))]


def test_an_unknown_part_is_left_out_and_the_message_stays() -> None:
    event = plain(MessageEvent(MESSAGE))
    event["message"]["parts"].insert(0, {"type": "hologram", "url": "x"})
    decoded = decode.stream_frame(frame(event))
    assert decoded.value == [MessageEvent(MESSAGE)]
    assert decoded.skipped == ("$[0].message.parts[0].type=hologram",)


def test_an_unknown_word_falls_back_to_the_default_of_its_field() -> None:
    event = plain(MessageEvent(MESSAGE))
    event["message"]["finish"] = "eclipse"
    event["message"]["visibility"] = "nobody"
    decoded = decode.stream_frame(frame(event))
    assert decoded.value == [MessageEvent(MESSAGE)]
    assert set(decoded.skipped) == {"$[0].message.finish", "$[0].message.visibility"}


def test_an_unknown_failure_kind_becomes_generic_and_keeps_its_sentence() -> None:
    event = plain(ErrorEvent(ChatError("generic", "It rained.", status_code=418)))
    event["error"]["kind"] = "weather"
    decoded = decode.stream_frame(frame(event))
    assert decoded.value == [ErrorEvent(ChatError("generic", "It rained.", status_code=418))]


def test_an_optional_value_that_makes_no_sense_becomes_none() -> None:
    decoded = decode.stream_frame(frame({"type": "retry", "retry": {"attempt": "many"}}))
    assert decoded.value == [RetryEvent(None)]


def test_an_event_without_what_it_needs_is_left_out() -> None:
    status = plain(StatusEvent("running", VERSIONS, "t"))
    del status["versions"]
    decoded = decode.stream_frame(frame(status, plain(CaughtUp(4))))
    assert decoded == ([CaughtUp(4)], ("$[0].versions",))


def test_a_status_word_of_the_future_leaves_the_event_out() -> None:
    status = plain(StatusEvent("running", VERSIONS, "t")) | {"status": "dreaming"}
    assert decode.stream_frame(frame(status)) == ([], ("$[0].status",))


def test_events_of_the_chat_list_are_mended_too() -> None:
    chat = plain(CHAT) | {"queue": "endless", "pending": "eclipse"}
    decoded = decode.watch_frame(frame({"type": "created", "chat": chat}, {"type": "moved"}))
    assert decoded.value == [ChatCreated(CHAT)]


def test_an_answer_keeps_the_chats_it_understands() -> None:
    body = plain(ChatPage(chats=[CHAT]))
    body["chats"].append(plain(CHAT) | {"status": "dreaming"})
    assert decode.answer(msgspec.json.encode(body), ChatPage).value == ChatPage(chats=[CHAT])


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"{}", b"3", b'"x"'])
def test_what_is_no_frame_at_all_is_malformed(data: bytes) -> None:
    with pytest.raises(decode.MalformedError):
        decode.stream_frame(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
KNOWN = [
    plain(event)
    for event in (
        MessageEvent(MESSAGE, replaces="3.1"),
        StatusEvent("running", VERSIONS, "t"),
        ErrorEvent(ChatError("auth", "No.")),
        CaughtUp(4),
    )
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [path, *(place for key, item in items for place in places(item, (*path, key)))]


@given(data=st.data())
def test_whatever_one_value_of_a_frame_becomes_the_other_events_arrive(data: Any) -> None:
    broken = data.draw(st.sampled_from(KNOWN))
    path = data.draw(st.sampled_from(places(broken)))
    replacement = data.draw(JSON)
    changed = plain(broken)
    if path:
        inner = changed
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = replacement
    else:
        changed = replacement
    decoded = decode.stream_frame(frame(changed, plain(CaughtUp(9))))
    assert decoded.value[-1] == CaughtUp(9)


def result_with(**changed: Any) -> bytes:
    result = plain(ToolResult("c", "a chart", picture=Picture("image/png", 3, 2, b"bytes")))
    result["picture"] |= changed
    return msgspec.json.encode(result)


def test_a_picture_travels_with_its_result_as_base64() -> None:
    picture = Picture("image/png", 3, 2, b"bytes")
    assert decode.answer(result_with(), ToolResult).value.picture == picture
    assert plain(picture)["data"] == "Ynl0ZXM="


def test_a_result_without_a_picture_is_written_as_before_there_were_any() -> None:
    assert plain(ToolResult("c", "x")) == {"type": "tool_result", "call_id": "c", "text": "x"}


@pytest.mark.parametrize(
    "changed",
    [
        {"media_type": "image/svg+xml"},
        {"width": 0},
        {"height": -1},
        {"width": 100_000, "height": 100_000},
        {"data": "no base64!"},
        {"data": "AAAA" * (PICTURE_BYTES // 3 + 1)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_picture_that_makes_no_sense_is_left_out_and_its_text_stays(changed: Any) -> None:
    decoded = decode.answer(result_with(**changed), ToolResult)
    assert decoded.value == ToolResult("c", "a chart")
    assert decoded.skipped[0].startswith("$.picture")


def test_nobody_can_make_a_picture_that_nobody_would_read() -> None:
    with pytest.raises(ValueError, match="more than"):
        Picture("image/png", 1, 1, bytes(PICTURE_BYTES + 1))
    with pytest.raises(ValueError, match="0 by 1"):
        Picture("image/png", 0, 1, b"")
