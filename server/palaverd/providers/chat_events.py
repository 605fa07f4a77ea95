"""The event stream of OpenAI's Chat Completions API, also as compatible servers send it.

It ends with a chunk that has a `finish_reason`, then perhaps one with the usage, then `[DONE]`,
which many servers omit.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from palaver.wire.messages import Finish
from palaverd.providers.dialect import Dialect, reported
from palaverd.providers.errors import StreamFailedError
from palaverd.providers.finish_words import word_of
from palaverd.providers.ignored_data import IgnoredData
from palaverd.providers.lenient import (
    index,
    listed,
    mapping,
    meaningful,
    pieces,
    said,
    string,
    thought,
)

# Fields of reasoning: vLLM and DeepSeek; OpenRouter and Ollama; Copilot; litellm; OpenRouter again.
# They have the same text if a server sends several.
_REASONING = (
    "reasoning_content",
    "reasoning",
    "reasoning_text",
    "thinking",
    "thinking_blocks",
    "reasoning_details",
)


class _UsualDelta(msgspec.Struct):
    """A text or reasoning delta, perhaps with a role, and nothing else that is read."""

    content: str | None = None
    text: None = None
    reasoning_content: str | None = None
    reasoning: None = None
    reasoning_text: None = None
    thinking: None = None
    thinking_blocks: None = None
    reasoning_details: None = None
    refusal: None = None
    tool_calls: None = None
    function_call: None = None


class _UsualChoice(msgspec.Struct):
    """The only choice."""

    delta: _UsualDelta
    text: None = None
    finish_reason: None = None
    message: None = None
    usage: None = None
    error: None = None


class _Usual(msgspec.Struct):
    """The most common event, nine of ten."""

    choices: tuple[_UsualChoice]
    model: str | None = None
    usage: None = None
    x_groq: None = None
    timings: None = None
    error: None = None


class _Call(msgspec.Struct):
    """An open tool call."""

    block: int
    id: str | None
    name: str | None


class ChatDialect(Dialect):
    """Reads one stream. A block ends when another begins: the protocol has no end of a block."""

    def __init__(self, ignored: IgnoredData | None = None) -> None:
        super().__init__(ignored)
        self._kind: Literal["text", "reasoning"] | None = None  # of the open block
        self._block = -1
        self._calls: dict[int, _Call] = {}  # by number; calls without one have negative keys
        self._call: _Call | None = None  # the latest one
        self._said = False  # any text
        self._message: Any = None
        self._refused = False

    _READ_USUAL = staticmethod(msgspec.json.Decoder(_Usual).decode)

    def _grew(self, usual: _Usual) -> bool:
        delta = usual.choices[0].delta
        if usual.model:
            self._model = usual.model
        if delta.reasoning_content:
            self._grow("reasoning", delta.reasoning_content)
        if delta.content:
            self._grow("text", delta.content)
        return True

    def _take(self, wire: dict[str, Any], name: bytes) -> bool:
        choices = wire.get("choices")
        if type(choices) is list and choices:
            self._choice(_ours(choices))
        elif type(choices) is dict:
            self._choice(choices)
        if wire.get("model") is not None:
            self._model = string(wire.get("model")) or self._model
        if (
            wire.get("usage") is not None
            or wire.get("x_groq") is not None
            or wire.get("timings") is not None
        ):
            self._report(wire)
        if wire.get("error") is not None or not choices or name == b"error":
            failure = reported(wire, name.decode("ascii", "replace"))
            if failure is not None:
                raise StreamFailedError(failure)
            if not choices and wire.get("usage") is None:
                self._ignored.note("an event without choices", self._data)
        return True

    def _report(self, wire: dict[str, Any]) -> None:
        self._counts.take(mapping(wire.get("x_groq")).get("usage"))
        self._counts.take(wire.get("usage"))
        self._counts.take_timings(wire.get("timings"))

    def _choice(self, choice: dict[str, Any]) -> None:
        delta = choice.get("delta")
        if type(delta) is dict:
            self._delta(delta)
        elif delta:
            for one in delta if type(delta) is list else [delta]:
                self._delta(one if type(one) is dict else {"content": one})
        if not delta and (text := string(choice.get("text"))):  # as in the older Completions
            self._grow("text", text)
        if (finish := choice.get("finish_reason")) is not None:
            self.finish(word_of(finish))
        if (report := choice.get("usage")) is not None:  # Moonshot
            self._counts.take(report)
        if (message := choice.get("message")) is not None:
            self._message = message
        if meaningful(error := choice.get("error")):
            raise StreamFailedError({"error": error})

    def _delta(self, delta: dict[str, Any]) -> None:
        """Read a delta, or a whole message."""
        for name in _REASONING:
            if (value := delta.get(name)) and (text := thought(value)):
                self._grow("reasoning", text)
                break
        content = delta.get("content")
        for kind, text in pieces(delta.get("text") if content is None else content):
            self._grow("reasoning" if kind == "reasoning" else "text", text)
        if (refusal := delta.get("refusal")) and not content:
            self._grow("text", said(refusal))
            self._refused = True
        if (calls := delta.get("tool_calls")) is not None:
            several = len(listed(calls)) > 1
            for place, call in enumerate(listed(calls)):
                self._grow_call(mapping(call), place if several else None)
        if (function := delta.get("function_call")) is not None:  # the older form of tool calls
            self._grow_call({"function": function}, None)

    def _judge(self, finish: Finish) -> Finish:
        """Return content_filter for a refusal, as in Responses; its finish word is `stop`."""
        return "content_filter" if self._refused and finish == "stop" else finish

    def _grow(self, kind: Literal["text", "reasoning"], text: str) -> None:
        if not text:
            return
        if self._kind != kind:
            self._end_open()
            self._kind, self._block = kind, self._blocks.open(kind)
            self._said |= kind == "text"
        self._blocks.grow(self._block, text)

    def _grow_call(self, call: dict[str, Any], place: int | None) -> None:
        function = mapping(call.get("function"))
        call_id, name = string(call.get("id")), string(function.get("name"))
        arguments = function.get("arguments")
        if type(arguments) in (dict, list):  # Ollama's own way
            arguments = msgspec.json.encode(arguments).decode()
        number = index(call.get("index"))
        if number is None:
            number = place
        known = self._named(call_id, name) if number is None else self._calls.get(number)
        if known is None or self._another(known, call_id, name, arguments):
            self._end_open()
            if known is not None:
                self._blocks.end(known.block)
            known = _Call(self._blocks.open("tool_call", name, call_id), call_id, name)
            self._call = known
            self._calls[-1 - len(self._calls) if number is None else number] = known
        if text := string(arguments):
            self._blocks.grow(known.block, text)

    def _named(self, call_id: str | None, name: str | None) -> _Call | None:
        """Return the call that a piece without a number continues."""
        if call_id is None:
            return self._call
        known = [call for call in self._calls.values() if call.id == call_id]
        return known[-1] if known else (self._call if name is None else None)

    def _another(self, known: _Call, call_id: str | None, name: str | None, arguments: Any) -> bool:
        """Return whether a piece with a known number begins another call.

        Gemini gives all calls the number 0, each with a name and an id, or with an empty id. Some
        versions of vLLM give every piece an id of its own, without a name.
        """
        if name is None:
            return False
        if known.name is not None and name != known.name:
            return True
        begun = self._blocks.text(known.block)
        if call_id and known.id and call_id != known.id:
            return not begun or _is_json(begun)
        if call_id is not None and call_id == known.id:
            return False
        return bool(arguments) and _is_json(begun)

    def _end_open(self) -> None:
        if self._kind is not None:
            self._kind = None
            self._blocks.end(self._block)

    def _catch_up(self) -> None:
        """Read the answer from `message`, if the server sent no deltas."""
        message = self._message
        if message is None or self._said or self._blocks.calls:
            return
        if type(message) is not dict:
            message = {"content": message}
        if self._blocks.filled:  # reasoning came as deltas
            message = {name: value for name, value in message.items() if name not in _REASONING}
        self._delta(message)

    def _whole(self, wire: dict[str, Any]) -> bool:
        choices = [one for one in listed(wire.get("choices")) if type(one) is dict]
        if not choices:
            return False
        self._choice(_ours(choices))
        self._model = string(wire.get("model"))
        self._report(wire)
        return True


def _ours(choices: list[Any]) -> dict[str, Any]:
    """Return the choice to read. One was requested, so the index of a single one is ignored."""
    if len(choices) == 1:
        return mapping(choices[0])
    objects = [mapping(one) for one in choices]
    return next((one for one in objects if one.get("index") == 0), objects[0])


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except msgspec.DecodeError:
        return False
    return True
