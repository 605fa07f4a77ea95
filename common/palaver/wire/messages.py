"""Messages and the parts they are made of."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from palaver.wire.errors import ChatError

Role = Literal["system", "user", "assistant", "tool"]
Visibility = Literal["both", "user", "model"]
# Why an assistant message ended. `interrupted`: a person stopped it; what is there is what
# was shown. `unknown`: nothing that is known here says that it is whole.
Finish = Literal["stop", "length", "tool_calls", "content_filter", "interrupted", "unknown"]
PictureType = Literal["image/png", "image/jpeg", "image/gif", "image/webp"]
# A client attaches with fifty messages in one frame of at most 64 MiB, which is 48 pictures this
# large in base64; a screenshot has a fraction of it.
PICTURE_BYTES = 1024 * 1024
# What JPEG and GIF can say at all; more is a mistake or a trap.
PICTURE_SIDE = 65_535


class Text(msgspec.Struct, frozen=True, tag="text", omit_defaults=True):
    """Markdown text."""

    text: str


class Reasoning(msgspec.Struct, frozen=True, tag="reasoning", omit_defaults=True):
    """What the model thought, as far as its provider shows it."""

    text: str
    duration_ms: int | None = None


class ToolCall(msgspec.Struct, frozen=True, tag="tool_call", omit_defaults=True):
    """A call the model asked for. `id` is the daemon's own; `arguments` is a JSON text."""

    id: str
    name: str
    arguments: str


class Picture(msgspec.Struct, frozen=True, omit_defaults=True):
    """A picture, whole: `data` is its file (base64 in JSON), `width` and `height` are pixels.

    A larger one will one day be fetched by the id of a file that stands in place of `data`.

    Raises:
        ValueError: it has no pixels, sides over `PICTURE_SIDE`, or over `PICTURE_BYTES`. Decoding
            says so too (`msgspec.ValidationError`): a client leaves such a picture out.
    """

    media_type: PictureType
    width: int
    height: int
    data: bytes

    def __post_init__(self) -> None:
        if not (1 <= self.width <= PICTURE_SIDE and 1 <= self.height <= PICTURE_SIDE):
            raise ValueError(f"a picture of {self.width} by {self.height} pixels")
        if len(self.data) > PICTURE_BYTES:
            raise ValueError(f"a picture of more than {PICTURE_BYTES} bytes")

    @property
    def kind(self) -> str:
        """What it is called, such as PNG."""
        return self.media_type.removeprefix("image/").upper().replace("WEBP", "WebP")


class ToolResult(msgspec.Struct, frozen=True, tag="tool_result", omit_defaults=True):
    """What a call gave, or a synthetic result when it never ran."""

    call_id: str
    text: str
    is_error: bool = False
    duration_ms: int | None = None
    picture: Picture | None = None

    @property
    def in_words(self) -> str:
        """The text, and in place of the picture a line that says that there is one."""
        if self.picture is None:
            return self.text
        line = f"[picture: {self.picture.kind} {self.picture.width}x{self.picture.height}]"
        return f"{self.text}\n{line}" if self.text else line


class Source(msgspec.Struct, frozen=True, tag="source", omit_defaults=True):
    """A place the model cites."""

    url: str
    title: str = ""


class Boundary(msgspec.Struct, frozen=True, tag="boundary", omit_defaults=True):
    """A line across the conversation: the model no longer sees what is above it."""

    reason: Literal["compacted", "cleared"]
    text: str = ""


class Failure(msgspec.Struct, frozen=True, tag="failure", omit_defaults=True):
    """The turn ended here, without an answer: why. People see it, a model never does."""

    error: ChatError


Part = Text | Reasoning | ToolCall | ToolResult | Source | Boundary | Failure
PART_TYPES = frozenset(
    {"text", "reasoning", "tool_call", "tool_result", "source", "boundary", "failure"}
)


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Tokens of one model call. None means that the provider did not say."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_read_tokens: int | None = None


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """One committed message. `revision` is the snapshot that last changed it.

    `key` is the idempotency key of the request that sent it, `queued_id` the id that it had in the
    queue: a client knows by them what it sent itself. None for what came without a key, or was
    never queued; a fork's copies have neither.

    `cost_micros` is micros of a dollar (None: unpriced); `runtime_ms` is the time from the
    request to the end of the answer.
    """

    id: int
    role: Role
    parts: list[Part]
    revision: int
    created_at: datetime
    visibility: Visibility = "both"
    model: str | None = None
    finish: Finish | None = None
    usage: Usage | None = None
    cost_micros: int | None = None
    runtime_ms: int | None = None
    key: str | None = None
    queued_id: int | None = None


class QueuedMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message that waits for its turn. `position` counts from 0.

    `key` is the idempotency key of the request that sent it, which it keeps in history.
    """

    id: int
    position: int
    content: str
    created_at: datetime
    model: str | None = None
    key: str | None = None


class MessagePage(msgspec.Struct, frozen=True):
    """A page of messages; `more` says whether there is another one in the same direction."""

    messages: list[Message]
    more: bool
