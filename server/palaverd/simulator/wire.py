"""The interface of a simulated protocol; one module per protocol implements it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, Literal, Protocol

import msgspec

from palaverd.simulator.faults import Fault
from palaverd.simulator.prompt import Answer, Prompt

Kind = Literal["structure", "word", "arguments", "terminal"]


class Frame(msgspec.Struct, frozen=True):
    """One encoded event of a stream.

    Words, and pieces of a tool call's arguments, are sent at the rate, structure at once.
    """

    data: bytes
    kind: Kind = "structure"


class Wire(Protocol):
    """One protocol: parses requests, encodes answers and errors."""

    path: str
    request_id_header: str

    def read(self, body: Mapping[str, Any]) -> Prompt:
        """Parse a request.

        Raises:
            BadRequestError: it violates the protocol.
        """

    def frames(self, answer: Answer, prompt: Prompt) -> Iterator[Frame]:
        """Yield the events of a streamed answer."""

    def whole(self, answer: Answer) -> dict[str, Any]:
        """Return the body of an answer that is not streamed."""

    def error(self, fault: Fault, message: str | None, request_id: str) -> Any:
        """Return the body of an error; without a message, with the fault's own."""

    def error_event(self, fault: Fault, request_id: str) -> bytes:
        """Return an error inside a stream."""

    def ping(self) -> bytes:
        """Return a keep-alive."""


def sse(data: Any, name: str | None = None) -> bytes:
    """Encode one server-sent event, with `data` as JSON."""
    head = b"event: " + name.encode() + b"\n" if name else b""
    return head + b"data: " + msgspec.json.encode(data) + b"\n\n"


def cut_anywhere(text: str, random: Random) -> tuple[str, ...]:
    """Split text at random places, as models split the arguments of a tool call."""
    cuts: list[str] = []
    start = 0
    while start < len(text):
        end = start + random.randint(1, 9)
        cuts.append(text[start:end])
        start = end
    return tuple(cuts)


def pieces(text: str) -> Iterator[str]:
    """Yield text split as models do: words with the space before them, newlines apart."""
    start = 0
    for end in range(1, len(text)):
        if (text[end].isspace() and not text[end - 1].isspace()) or text[end] == "\n":
            yield text[start:end]
            start = end
    if text:
        yield text[start:]
