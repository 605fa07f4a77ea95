"""Plays a server of the table: its framing, its words, its errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from palaver.servers.facts import Meaning, Sends, Server
from palaver.servers.frames import body_of
from palaver.servers.table import SERVERS
from palaverd.simulator.chat import ChatWire
from palaverd.simulator.faults import Fault
from palaverd.simulator.prompt import Answer, Prompt
from palaverd.simulator.wire import Frame, Kind, Wire, pieces, sse

# Those whose answers or errors are known well enough.
DIALECTS: dict[str, Server] = {
    server.slug: server
    for server in SERVERS
    if server.sends is not None or any(says.status is not None for says in server.says)
}
_MEANINGS: dict[str, Meaning] = {
    "stop": "whole",
    "length": "cut",
    "tool": "calls",
    "filter": "filtered",
}
_USUAL = {"stop": "stop", "length": "length", "tool": "tool_calls", "filter": "content_filter"}
_OPENINGS: dict[str, dict[str, Any]] = {
    "empty": {"content": ""},
    "null": {"content": None},
    "none": {},
}
# How many tokens of a prompt a cache gives, where it reports that.
_CACHED = 2


def spoken_by(server: Server, wire: Wire) -> Wire:
    """Return the protocol as `server` speaks it: Chat Completions differ, others are as written."""
    return DialectWire(server) if isinstance(wire, ChatWire) else wire


def said_by(server: Server, fault: Fault, topic: str | None = None) -> Fault:
    """Return a fault as `server` tells of it; as it is, where nothing of that is known."""
    if fault.says is not None:
        return fault
    says = server.saying(topic or fault.topic or "")
    if says is None or says.status is None:
        return fault
    return msgspec.structs.replace(
        fault,
        manner="status",
        status=says.status,
        openai_type=says.type,
        openai_code=None if says.code is None else str(says.code),
        anthropic=says.type or fault.anthropic,
        message=says.said,
        openai_message=None,
        says=says,
    )


def headers_of(server: Server | None) -> dict[str, str]:
    """Return the headers by which a server is known."""
    marks = server.marked("header") if server is not None else ()
    said = [mark.partition(":") for mark in marks]
    return {name: value.strip() or "1" for name, _, value in said}


def owner_of(server: Server | None) -> str:
    """Return what a server says in its list of models of who owns them."""
    return next(iter(server.marked("owner") if server is not None else ()), "palaver")


def answers_of(server: Server | None) -> dict[str, Any]:
    """Return what a server answers on the paths that it alone has."""
    marks = server.marked("path") if server is not None else ()
    fields = [mark.split() for mark in marks]
    return {path: {name: _ANSWERS.get(name, "1")} | _BESIDE.get(path, {}) for path, name in fields}


_ANSWERS: dict[str, Any] = {"default_generation_settings": {"n_ctx": 4096}, "data": []}
_BESIDE: dict[str, Any] = {"/props": {"chat_template_caps": {"supports_tools": True}}}


class DialectWire(ChatWire):
    """Chat Completions as one server speaks them."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._sends = server.sends or _PLAIN

    def frames(self, answer: Answer, prompt: Prompt) -> Iterator[Frame]:
        """Yield the chunks of a streamed answer, and whatever ends it."""
        sends = self._sends

        def chunk(delta: dict[str, Any], kind: Kind = "structure", **more: Any) -> Frame:
            choice = {"index": 0, "delta": delta, "finish_reason": more.pop("finish", None)}
            head = self._head(answer, "chat.completion.chunk", [choice])
            return Frame(sse(head | more), kind)

        if sends.ping is not None:
            yield Frame(self.ping())
        role: dict[str, Any] = {"role": "assistant"}
        if sends.opens != "at once":
            yield chunk(role | _OPENINGS[sends.opens])
            role = {}
        for delta in self._words(answer):
            yield chunk(delta | role, "word")
            role = {}
        for delta in self._calls(answer):
            yield chunk(delta, "arguments")
        yield from self._end(answer, prompt, chunk)
        if sends.done:
            yield Frame(b"data: [DONE]\n\n", "terminal")

    def _end(self, answer: Answer, prompt: Prompt, chunk: Any) -> Iterator[Frame]:
        """The finish word, and the counts where this server has them."""
        finish, counts = self._word(answer.finish), self._usage(answer)
        # Where `[DONE]` is missing the finish is what ends an answer.
        kind: Kind = "structure" if self._sends.done else "terminal"
        match self._sends.usage:
            case "with the finish":
                yield chunk({}, kind, finish=finish, usage=counts)
            case "x_groq":
                yield chunk({}, kind, finish=finish, x_groq={"usage": counts})
            case "never":
                yield chunk({}, kind, finish=finish)
            case "own choice":
                yield chunk({}, kind, finish=finish)
                if prompt.include_usage:
                    yield chunk({}, usage=counts)
            case "own chunk":
                yield chunk({}, kind, finish=finish)
                if prompt.include_usage:
                    last = self._head(answer, "chat.completion.chunk", []) | {"usage": counts}
                    if self._sends.timings:
                        last["timings"] = {
                            "cache_n": _CACHED,
                            "prompt_n": answer.input_tokens - _CACHED,
                            "predicted_n": answer.output_tokens,
                        }
                    yield Frame(sse(last))

    def _words(self, answer: Answer) -> Iterator[dict[str, Any]]:
        yield from (self._thought(piece) for piece in pieces(answer.reasoning))
        yield from ({"content": piece} for piece in pieces(answer.text))

    def _calls(self, answer: Answer) -> Iterator[dict[str, Any]]:
        if not answer.tool:
            return
        function: dict[str, Any] = {"name": answer.tool, "arguments": ""}
        head = {"index": 0, "id": f"call_{answer.id}", "type": "function", "function": function}
        yield {"tool_calls": [head]}
        for cut in answer.cuts:
            yield {"tool_calls": [{"index": 0, "function": {"arguments": cut}}]}

    def _thought(self, piece: str) -> dict[str, Any]:
        if self._sends.reasoning == "parts":
            thinking = [{"type": "text", "text": piece}]
            return {"content": [{"type": "thinking", "thinking": thinking}]}
        return {self._sends.reasoning or "reasoning_content": piece}

    def _word(self, finish: str) -> str:
        return self._server.word(_MEANINGS[finish]) or _USUAL[finish]

    def _usage(self, answer: Answer) -> dict[str, Any]:
        counts: dict[str, Any] = {
            "prompt_tokens": answer.input_tokens,
            "completion_tokens": answer.output_tokens,
            "total_tokens": answer.input_tokens + answer.output_tokens,
        }
        match self._sends.cached:
            case "prompt_tokens_details":
                counts["prompt_tokens_details"] = {"cached_tokens": _CACHED}
            case str(field):
                counts[field] = _CACHED
        return counts

    def error(self, fault: Fault, message: str | None, request_id: str) -> Any:
        """Return the body of an error, as this server builds one."""
        if fault.says is None or message is not None:
            return super().error(fault, message, request_id)
        return body_of(self._server.frame, fault.says)

    def ping(self) -> bytes:
        """Return what keeps the connection open."""
        return f"{self._sends.ping}\n\n".encode() if self._sends.ping else super().ping()


_PLAIN = Sends(source=DIALECTS["openai"].marks[0].source)
