"""The base class of the protocols' readers: lenient about events, strict about the end.

An event is read as far as it can be. Whether the answer is complete is decided once, from all
signs: finish word, terminal event, end marker, end of the body.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from palaver.wire.messages import Finish
from palaverd.providers.blocks import Blocks, encodable
from palaverd.providers.counts import Counts
from palaverd.providers.errors import (
    FilteredError,
    MalformedEventError,
    StreamEndedError,
    StreamFailedError,
    WindowExceededError,
)
from palaverd.providers.finish_words import FINISHES, meaning_of, worse
from palaverd.providers.ignored_data import IgnoredData
from palaverd.providers.lenient import listed, mapping, meaningful, parse, string
from palaverd.providers.neutral import Completed, Delta, ModelEvent
from palaverd.providers.sse import ServerEvent

_READ = msgspec.json.Decoder().decode

# Fields that report an error, unless they are empty.
_ERRORS = ("error", "errors", "error_msg", "error_message")
# Codes beside a `message` that mean success.
_FINE = frozenset({"none", "", "0", "200", "ok", "success"})
# Finish words that mean, for an answer without content: the context is full.
_NO_ROOM = frozenset({"model_context_window_exceeded", "model_length", "error_limit"})


class Dialect(ABC):
    """Reads one protocol's stream, for one call.

    `completed` is set once the answer is known to be complete, or as complete as it will be; `word`
    is the finish word, once there is one.

    Nine of ten events are text deltas. `_READ_USUAL` decodes exactly those and refuses all others,
    which costs half as much as decoding any event.
    """

    _READ_USUAL: Callable[[bytes], Any]

    def __init__(self, ignored: IgnoredData | None = None, *, inclusive: bool = True) -> None:
        self.completed: Completed | None = None
        self.word: str | None = None
        self._worded = False  # whether the current event has a finish word
        self._always = False  # whether every event has a finish word
        self._ignored = ignored or IgnoredData()
        self._blocks = Blocks()
        self._counts = Counts(inclusive=inclusive)
        self._model: str | None = None
        self._data = b""  # of the current event

    # --- events ---------------------------------------------------------------------------

    def decode(self, event: ServerEvent, out: list[ModelEvent]) -> bool:
        """Append the meaning of `event` to `out`; return whether it is more than a ping.

        Raises:
            MalformedEventError: it is half an event.
            StreamFailedError, FilteredError, WindowExceededError: the answer failed.
        """
        self._blocks.out = out
        self._data = event.data
        if self.word is not None:
            return self._late(event, out)
        try:
            if self._grew(self._READ_USUAL(event.data)):
                return True
        except (ValueError, RecursionError):
            pass  # not the most common event
        return self._any(event, out)

    def _late(self, event: ServerEvent, out: list[ModelEvent]) -> bool:
        """Read an event after a finish word: if text continues, the word did not end the answer.

        Some servers send `stop` with every delta: then only the end marker, or a proper end of the
        body, distinguishes a complete answer from a broken one.
        """
        before, self._worded = len(out), False
        progress = self._any(event, out)
        goes_on = any(type(one) is Delta for one in out[before:])
        if goes_on and self.completed is None:
            if self._worded:
                self._always = True
            else:
                self.word = None
        return progress

    def _any(self, event: ServerEvent, out: list[ModelEvent]) -> bool:
        """Read an event of any kind."""
        try:
            wire = _READ(event.data)
        except (ValueError, RecursionError) as error:  # ValueError is msgspec's, and bad UTF-8
            return self._strange(event, out, error)
        if type(wire) is not dict:
            return self._strange(event, out, ValueError("no object"))
        if not wire:
            return False
        return self._take(wire, event.name)

    @abstractmethod
    def _grew(self, usual: Any) -> bool:
        """Read the most common event. Return False, without effect, if it needs the general way."""

    @abstractmethod
    def _take(self, wire: dict[str, Any], name: bytes) -> bool:
        """Read an event, whose name is `name`; see `decode`."""

    def _strange(self, event: ServerEvent, out: list[ModelEvent], error: Exception) -> bool:
        """Read data that is not one JSON object."""
        data = event.data.strip()
        if data.strip(b'"').upper() == b"[DONE]":
            self.ended()
            return True
        if event.name == b"error" and data and not data.startswith((b"{", b"[")):
            raise StreamFailedError({"error": data.decode("utf-8", "replace")})
        if b"\n" in data and (events := self._lines(data)) is not None:
            # The blank lines between events are missing, or part of one.
            return self.decode_all((ServerEvent(event.name, line) for line in events), out)
        try:
            value = parse(data)
        except ValueError:
            if data.startswith((b"{", b"[{")):
                # What cannot be read may matter.
                raise MalformedEventError(str(error)) from error
            value = None
        self._blocks.halves = True
        return self._take_all(value, event)

    def decode_all(self, events: Iterable[ServerEvent], out: list[ModelEvent]) -> bool:
        """Decode events up to the end of the answer; see `decode`."""
        progress = [self.decode(one, out) for one in events if self.completed is None]
        return any(progress)

    def _take_all(self, value: Any, event: ServerEvent) -> bool:
        """Read the objects of a list sent as one event, as Gemini sends errors."""
        objects = [one for one in listed(value) if type(one) is dict]
        if not objects and event.data:
            self._ignored.note("no event", event.data)
        progress = [self._take(one, event.name) for one in objects if self.completed is None]
        return any(progress)

    def _lines(self, data: bytes) -> list[bytes] | None:
        """Return the lines of `data` if each is an event of its own."""
        lines = [line for line in data.split(b"\n") if line.strip()]
        for line in lines:
            if line.lstrip().startswith(b"{"):
                try:
                    parse(line)
                except ValueError:
                    return None
        return lines if len(lines) > 1 else None

    # --- the end --------------------------------------------------------------------------

    @property
    def closes(self) -> bool:
        """Whether a finish word came and nothing but the end of the stream is missing."""
        return self.word is not None and not self._always

    def finish(self, word: str | None) -> None:
        """Record a finish word, if `word` is one."""
        if word is not None:
            self.word = worse(self.word, word)
            self._worded = True

    def over(self, out: list[ModelEvent]) -> None:
        """Complete the answer at the end of its body, proper or not.

        Raises:
            StreamEndedError: nothing marks it as complete.
            StreamFailedError, FilteredError, WindowExceededError: as `decode`.
        """
        self._blocks.out = out
        if self.completed is not None:
            return
        if self.word is None:
            raise StreamEndedError
        self.ended()

    def ended(self) -> None:
        """Complete the answer at its end marker; without a finish word its finish is `unknown`."""
        if self.completed is not None:
            return
        self._catch_up()
        word, blocks = self.word, self._blocks
        meaning = None if word is None else meaning_of(word)
        if meaning == "given up":
            message = f"the answer was given up: {word}"
            raise StreamFailedError({"error": {"type": "server_error", "message": message}})
        if meaning == "filtered" and not blocks.filled:
            raise FilteredError
        if word is not None and word.lower() in _NO_ROOM and not blocks.filled:
            raise WindowExceededError
        finish: Finish = "unknown" if meaning is None else FINISHES[meaning]
        if finish == "stop" and blocks.calls:
            finish = "tool_calls"
        self._end_blocks()
        self.completed = Completed(
            self._judge(finish),
            self._counts.usage(),
            None if self._model is None else encodable(self._model),
            word if finish == "unknown" else None,
        )

    @abstractmethod
    def _catch_up(self) -> None:
        """Add what only the end of a stream contains."""

    def _end_blocks(self) -> None:
        self._blocks.end_all()

    def _judge(self, finish: Finish) -> Finish:
        """Return the finish, corrected by the dialect."""
        return finish

    # --- one whole answer -----------------------------------------------------------------

    def answer(self, body: bytes, out: list[ModelEvent]) -> bool:
        """Read a body that is one whole answer, not a stream; return whether it is one.

        Raises:
            StreamFailedError, FilteredError, WindowExceededError: as `decode`.
            MalformedEventError: it is not JSON, or half of it.
        """
        self._blocks.out = out
        self._data = body
        self._blocks.halves = True
        try:
            value = parse(body)
        except ValueError as error:
            raise MalformedEventError(str(error)) from error
        if type(value) is list and len(value) == 1:
            value = value[0]
        if type(value) is not dict:
            return False
        if (failure := reported(value)) is not None:
            raise StreamFailedError(failure)
        if not self._whole(value):
            return False
        self.ended()
        return True

    @abstractmethod
    def _whole(self, wire: dict[str, Any]) -> bool:
        """Read a whole answer; return whether it is one."""


def reported(wire: dict[str, Any], name: str = "") -> Any:
    """Return the error that an event reports, decoded; None if it reports none.

    Besides the documented forms: a bare error without a frame (llama.cpp), an error under the
    event's name, one that is only an `object` (older vLLM), FastAPI's `detail`, a list of `errors`
    (Cloudflare), MiniMax's and Baidu's own.
    """
    for field in _ERRORS:
        error = wire.get(field)
        if meaningful(error):
            if type(error) is list:
                error = error[0]
            if not isinstance(error, (str, dict)):
                error = {"code": None if error is True else error, "message": wire.get("message")}
            return _body(error, wire)
    message = string(wire.get("message")) or wire.get("detail")
    kind, code = string(wire.get("type")) or "", wire.get("code")
    bare = meaningful(message) and (str(code).lower() not in _FINE or "error" in kind.lower())
    called = (name, kind, wire.get("object"), wire.get("status"))
    if bare or wire.get("detail") or "error" in called:
        said = {"type": None if kind == "error" else wire.get("type"), "code": code}
        return _body(said | {"message": message}, wire)
    status = mapping(wire.get("base_resp"))
    if status.get("status_code"):
        return {"error": {"code": status["status_code"], "message": status.get("status_msg")}}
    return None


def _body(error: Any, wire: dict[str, Any]) -> dict[str, Any]:
    request = {} if wire.get("request_id") is None else {"request_id": wire.get("request_id")}
    return {"error": error, **request}
