"""Undocumented events and fields that servers send, event by event."""

from __future__ import annotations

import msgspec
import pytest

from palaverd.providers.anthropic_events import AnthropicDialect
from palaverd.providers.chat_events import ChatDialect
from palaverd.providers.dialect import Dialect
from palaverd.providers.errors import MalformedEventError, StreamFailedError
from palaverd.providers.neutral import BlockEnd, BlockStart, Delta, ModelEvent
from palaverd.providers.responses_events import ResponsesDialect
from palaverd.providers.sse import ServerEvent


def feed(dialect: Dialect, *events: object) -> list[ModelEvent]:
    out: list[ModelEvent] = []
    for event in events:
        data = event if isinstance(event, bytes) else msgspec.json.encode(event)
        dialect.decode(ServerEvent(b"", data), out)
    return out


def chunk(finish: str | None = None, **delta: object) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


DIALECTS = (AnthropicDialect, ResponsesDialect, ChatDialect)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("data", [b"{", b'{"a": "\xff"}', b'[{"error": "sl'])
def test_half_an_event_is_refused(dialect: type[Dialect], data: bytes) -> None:
    with pytest.raises(MalformedEventError):
        feed(dialect(), data)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "data", [b"[]", b"7", b"null", b'"x"', b"", b"\xff", b"ping", b": ping", b"{}"]
)
def test_what_is_no_event_is_a_ping(dialect: type[Dialect], data: bytes) -> None:
    out: list[ModelEvent] = []
    assert not dialect().decode(ServerEvent(b"", data), out)
    assert out == []


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_bare_error_object_fails_the_stream(dialect: type[Dialect]) -> None:
    with pytest.raises(StreamFailedError) as failed:
        feed(dialect(), {"error": {"code": 503, "message": "busy"}})
    assert failed.value.body == {"error": {"code": 503, "message": "busy"}}


@pytest.mark.parametrize("dialect", [AnthropicDialect, ResponsesDialect])
def test_unknown_events_are_passed_over_and_count_as_progress(dialect: type[Dialect]) -> None:
    out: list[ModelEvent] = []
    assert dialect().decode(ServerEvent(b"", b'{"type": "brand.new", "x": [1]}'), out)
    assert out == []


def test_anthropics_ping_is_no_progress() -> None:
    assert not AnthropicDialect().decode(ServerEvent(b"ping", b'{"type": "ping"}'), [])


def test_anthropics_unknown_blocks_are_skipped_with_their_deltas() -> None:
    start = {"type": "content_block_start", "index": 0, "content_block": {"type": "novelty"}}
    delta = {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": "x"},
    }
    new = {"type": "content_block_delta", "index": 0, "delta": {"type": "citations_delta"}}
    stop = {"type": "content_block_stop", "index": 0}
    assert feed(AnthropicDialect(), start, delta, new, stop) == []


def test_arguments_of_no_call_are_no_answer() -> None:
    delta = {"type": "input_json_delta", "partial_json": "{"}
    with pytest.raises(MalformedEventError):
        feed(AnthropicDialect(), {"type": "content_block_delta", "index": 3, "delta": delta})
    name = "response.function_call_arguments.delta"
    with pytest.raises(MalformedEventError):
        feed(ResponsesDialect(), {"type": name, "output_index": 3, "delta": "{"})


def test_redacted_thinking_is_kept_for_its_provider() -> None:
    block = {"type": "redacted_thinking", "data": "sealed"}
    out = feed(
        AnthropicDialect(),
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "content_block_stop", "index": 0},
    )
    assert out == [
        BlockStart(0, "reasoning"),
        BlockEnd(0, '{"type":"anthropic.redacted","data":"sealed"}'),
    ]


def test_a_failed_response_says_why() -> None:
    error = {"code": "rate_limit_exceeded", "message": "slow"}
    with pytest.raises(StreamFailedError) as failed:
        feed(ResponsesDialect(), {"type": "response.failed", "response": {"error": error}})
    assert failed.value.body == {"error": error}


def test_arguments_that_come_without_deltas_are_not_lost() -> None:
    item = {"type": "function_call", "call_id": "c", "name": "f", "arguments": ""}
    out = feed(
        ResponsesDialect(),
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {
            "type": "response.output_item.done",
            "output_index": 0,
            "item": item | {"arguments": "{}"},
        },
    )
    assert out == [BlockStart(0, "tool_call", "f", "c"), Delta(0, "{}"), BlockEnd(0)]


def test_tokens_from_the_cache_are_counted_once() -> None:
    dialect = ResponsesDialect()
    usage = {"input_tokens": 100, "input_tokens_details": {"cached_tokens": 70}, "output_tokens": 5}
    feed(dialect, {"type": "response.completed", "response": {"usage": usage}})
    assert dialect.completed is not None
    assert dialect.completed.usage.input_tokens == 30
    assert dialect.completed.usage.cache_read_tokens == 70


def test_usage_that_is_not_reported_is_unknown() -> None:
    dialect = ChatDialect()
    feed(dialect, chunk(content="hi"), chunk("stop"), b"[DONE]")
    assert dialect.completed is not None
    assert dialect.completed.usage.input_tokens is None
    assert dialect.completed.usage.output_tokens is None


def test_a_finish_without_the_marker_waits_for_the_bodys_end() -> None:
    dialect, out = ChatDialect(), list[ModelEvent]()
    feed(dialect, chunk(content="hi"), chunk("stop"))
    assert dialect.completed is None
    dialect.over(out)
    assert dialect.completed is not None
    assert dialect.completed.finish == "stop"


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_reasoning_is_known_by_both_its_names(name: str) -> None:
    end = chunk("stop"), b"[DONE]"
    out = feed(ChatDialect(), chunk(**{name: "hm"}), chunk(content="so"), *end)
    assert out == [
        BlockStart(0, "reasoning"),
        Delta(0, "hm"),
        BlockEnd(0),
        BlockStart(1, "text"),
        Delta(1, "so"),
        BlockEnd(1),
    ]


def test_calls_that_share_an_index_are_told_apart_by_their_ids() -> None:
    def call(call_id: str) -> dict[str, object]:
        function = {"name": "f", "arguments": f'"{call_id}"'}
        return chunk(tool_calls=[{"index": 0, "id": call_id, "function": function}])

    dialect = ChatDialect()
    out = feed(dialect, call("a"), call("b"), chunk("stop"), b"[DONE]")
    assert [event for event in out if isinstance(event, BlockStart)] == [
        BlockStart(0, "tool_call", "f", "a"),
        BlockStart(1, "tool_call", "f", "b"),
    ]
    assert sorted(event.block for event in out if isinstance(event, BlockEnd)) == [0, 1]
    assert dialect.completed is not None
    assert dialect.completed.finish == "tool_calls"
