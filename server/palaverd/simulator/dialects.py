"""Imitates a server of the table: its framing, its finish words, its errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from palaver.servers.facts import Meaning, Sends, Server
from palaver.servers.frames import body_of
from palaver.servers.table import SERVERS
from palaverd.simulator.chat import FINISH, MARKER, ChatWire
from palaverd.simulator.faults import Fault
from palaverd.simulator.prompt import Answer, Prompt
from palaverd.simulator.wire import Frame, Kind, Wire

# Servers whose answers or errors are known well enough.
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
_OPENINGS: dict[str, dict[str, Any] | None] = {
    "empty": {"content": ""},
    "null": {"content": None},
    "none": {},
    "at once": None,
}
# Cached tokens of a prompt, for servers that report them.
_CACHED = 2


def spoken_by(server: Server, wire: Wire) -> Wire:
    """Return the wire as `server` speaks it: only Chat Completions differ."""
    return DialectWire(server) if isinstance(wire, ChatWire) else wire


def said_by(server: Server, fault: Fault, topic: str | None = None) -> Fault:
    """Return a fault as `server` reports it; unchanged if that is not known."""
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
    """Return the headers that identify a server."""
    marks = server.marked("header") if server is not None else ()
    said = [mark.partition(":") for mark in marks]
    return {name: value.strip() or "1" for name, _, value in said}


def owner_of(server: Server | None) -> str:
    """Return the owner in a server's list of models."""
    return next(iter(server.marked("owner") if server is not None else ()), "palaver")


def answers_of(server: Server | None) -> dict[str, Any]:
    """Return the responses of a server on paths that only it has."""
    marks = server.marked("path") if server is not None else ()
    fields = [mark.split() for mark in marks]
    return {path: {name: _ANSWERS.get(name, "1")} | _BESIDE.get(path, {}) for path, name in fields}


_ANSWERS: dict[str, Any] = {"default_generation_settings": {"n_ctx": 4096}, "data": []}
_BESIDE: dict[str, Any] = {"/props": {"chat_template_caps": {"supports_tools": True}}}


class DialectWire(ChatWire):
    """Chat Completions as one server speaks it."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._sends = server.sends or _PLAIN

    def frames(self, answer: Answer, prompt: Prompt) -> Iterator[Frame]:
        """Yield the chunks of a streamed answer, and its end."""
        if self._sends.ping is not None:
            yield Frame(self.ping())
        yield from super().frames(answer, prompt)

    def _opening(self) -> dict[str, Any] | None:
        return _OPENINGS[self._sends.opens]

    def _thought(self, piece: str) -> dict[str, Any]:
        if self._sends.reasoning == "parts":
            thinking = [{"type": "text", "text": piece}]
            return {"content": [{"type": "thinking", "thinking": thinking}]}
        return {self._sends.reasoning or "reasoning_content": piece}

    def _end(self, answer: Answer, prompt: Prompt) -> Iterator[Frame]:
        """Yield finish reason, usage and end marker, as far as this server sends them."""
        finish = self._server.word(_MEANINGS[answer.finish]) or FINISH[answer.finish]
        counts = self._usage(answer)
        beside: dict[str, Any] = {}
        match self._sends.usage:
            case "with the finish":
                beside = {"usage": counts}
            case "x_groq":
                beside = {"x_groq": {"usage": counts}}
        # Without `[DONE]` the finish reason ends an answer.
        kind: Kind = "structure" if self._sends.done else "terminal"
        yield self._chunk(answer, {}, kind, finish, **beside)
        if prompt.include_usage and self._sends.usage == "own choice":
            yield self._chunk(answer, {}, usage=counts)
        if prompt.include_usage and self._sends.usage == "own chunk":
            timings = {
                "cache_n": _CACHED,
                "prompt_n": answer.input_tokens - _CACHED,
                "predicted_n": answer.output_tokens,
            }
            yield self._counts_alone(answer, **{"timings": timings} if self._sends.timings else {})
        if self._sends.done:
            yield MARKER

    def _usage(self, answer: Answer) -> dict[str, Any]:
        match self._sends.cached:
            case None:
                return self._totals(answer)
            case "prompt_tokens_details":
                cached: dict[str, Any] = {"prompt_tokens_details": {"cached_tokens": _CACHED}}
            case str(field):
                cached = {field: _CACHED}
        return self._totals(answer) | cached

    def error(self, fault: Fault, message: str | None, request_id: str) -> Any:
        """Return the body of an error, in this server's form."""
        if fault.says is None or message is not None:
            return super().error(fault, message, request_id)
        return body_of(self._server.frame, fault.says)

    def ping(self) -> bytes:
        """Return this server's keep-alive."""
        return f"{self._sends.ping}\n\n".encode() if self._sends.ping else super().ping()


_PLAIN = Sends(source=DIALECTS["openai"].marks[0].source)
