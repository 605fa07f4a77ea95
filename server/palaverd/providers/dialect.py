"""What the protocols' readers share: tolerant reading of events, strict judging of the end.

An event is read for what it can mean. Whether the answer is whole is judged once, by every sign
there was: a finish word, the terminal event, the end mark, the end of the body.
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
from palaverd.providers.loose import listed, mapping, meaningful, parse, string
from palaverd.providers.neutral import Completed, Delta, ModelEvent
from palaverd.providers.sse import ServerEvent
from palaverd.providers.thrown import Thrown

_READ = msgspec.json.Decoder().decode

# Fields that report an error, where there is something in them.
_ERRORS = ("error", "errors", "error_msg", "error_message")
# Codes beside a `message` that are no error's.
_FINE = frozenset({"none", "", "0", "200", "ok", "success"})
# Finish words of an answer without content that mean: the context has no room for one.
_NO_ROOM = frozenset({"model_context_window_exceeded", "model_length", "error_limit"})


class Dialect(ABC):
    """One protocol's stream, for one call.

    `completed` is set once the answer is known to be whole, or as whole as it will be; `word` is
    the finish word, once one came.

    Nine of ten events are a few words more of a text. `_READ_USUAL` decodes exactly those, and
    refuses all others: it is half as dear as reading whatever may come.
    """

    _READ_USUAL: Callable[[bytes], Any]

    def __init__(self, thrown: Thrown | None = None, *, inclusive: bool = True) -> None:
        self.completed: Completed | None = None
        self.word: str | None = None
        self._worded = False  # by the event that is read
        self._always = False  # a finish word comes with every piece
        self._thrown = thrown or Thrown()
        self._blocks = Blocks()
        self._counts = Counts(inclusive=inclusive)
        self._model: str | None = None
        self._data = b""  # of the event that is read

    # --- events ---------------------------------------------------------------------------

    def decode(self, event: ServerEvent, out: list[ModelEvent]) -> bool:
        """Append what `event` means to `out`. Returns whether it is more than a ping.

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
            pass  # it is not the usual event
        return self._any(event, out)

    def _late(self, event: ServerEvent, out: list[ModelEvent]) -> bool:
        """Read what comes behind a finish word: where text goes on, it was none.

        Some servers send `stop` with every word: there only the end mark, or the body's proper end,
        tells a whole answer from one that broke off.
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
        """Read whatever it is."""
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
        """Read a usual event. Returns False, and has done nothing, where it is not that simple."""

    @abstractmethod
    def _take(self, wire: dict[str, Any], name: bytes) -> bool:
        """Read an event, whose name is `name`; see `decode`."""

    def _strange(self, event: ServerEvent, out: list[ModelEvent], error: Exception) -> bool:
        """Read what is no JSON object as it should be."""
        data = event.data.strip()
        if data.strip(b'"').upper() == b"[DONE]":
            self.ended()
            return True
        if event.name == b"error" and data and not data.startswith((b"{", b"[")):
            raise StreamFailedError({"error": data.decode("utf-8", "replace")})
        if b"\n" in data and (events := self._lines(data)) is not None:
            # Empty lines between events were forgotten, or came as part of one.
            return self.decode_all((ServerEvent(event.name, line) for line in events), out)
        try:
            value = parse(data)
        except ValueError:
            if data.startswith((b"{", b"[{")):
                # The answer may hang on what cannot be read.
                raise MalformedEventError(str(error)) from error
            value = None
        self._blocks.halves = True
        return self._take_all(value, event)

    def decode_all(self, events: Iterable[ServerEvent], out: list[ModelEvent]) -> bool:
        """Decode events up to the end of the answer; see `decode`."""
        progress = [self.decode(one, out) for one in events if self.completed is None]
        return any(progress)

    def _take_all(self, value: Any, event: ServerEvent) -> bool:
        """Read the objects that came as one event: Gemini sets its errors into a list."""
        objects = [one for one in listed(value) if type(one) is dict]
        if not objects and event.data:
            self._thrown.note("no event", event.data)
        progress = [self._take(one, event.name) for one in objects if self.completed is None]
        return any(progress)

    def _lines(self, data: bytes) -> list[bytes] | None:
        """Return the lines of `data` if each is something by itself."""
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
        """Whether a finish word said that nothing but the end is missing."""
        return self.word is not None and not self._always

    def finish(self, word: str | None) -> None:
        """Take note of a finish word, if there is one."""
        if word is not None:
            self.word = worse(self.word, word)
            self._worded = True

    def over(self, out: list[ModelEvent]) -> None:
        """Judge the answer when its body is over, whether properly or not.

        Raises:
            StreamEndedError: no sign says that it is whole.
            StreamFailedError, FilteredError, WindowExceededError: as `decode`.
        """
        self._blocks.out = out
        if self.completed is not None:
            return
        if self.word is None:
            raise StreamEndedError
        self.ended()

    def ended(self) -> None:
        """Judge the answer at its end mark; without a finish word nobody knows how it ended."""
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
        """Add what only the end of a stream says."""

    def _end_blocks(self) -> None:
        self._blocks.end_all()

    def _judge(self, finish: Finish) -> Finish:
        """Return the finish as what else is known makes it."""
        return finish

    # --- one whole answer -----------------------------------------------------------------

    def answer(self, body: bytes, out: list[ModelEvent]) -> bool:
        """Read a body that is one whole answer, not a stream. Returns whether it is one.

        Raises:
            StreamFailedError, FilteredError, WindowExceededError: as `decode`.
            MalformedEventError: it is no JSON, or half of it.
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
        """Read a whole answer. Returns whether it is one."""


def reported(wire: dict[str, Any], name: str = "") -> Any:
    """Return the decoded error that an event reports; None if it reports none.

    Beside the documented shapes: a bare error without a frame (llama.cpp), an error under the
    event's name, one that is only an `object` (older vLLM), FastAPI's `detail`, a list of
    `errors` (Cloudflare), MiniMax's and Baidu's own.
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
