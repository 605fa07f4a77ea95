"""Messages and their parts."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from palaver.wire.errors import ChatError

Role = Literal["system", "user", "assistant", "tool"]
Visibility = Literal["both", "user", "model"]
# Why an assistant message ended. `interrupted`: a user stopped it; it has what was shown.
# `unknown`: no known sign says that it is complete.
Finish = Literal["stop", "length", "tool_calls", "content_filter", "interrupted", "unknown"]
PictureType = Literal["image/png", "image/jpeg", "image/gif", "image/webp"]
# Types of the files that clients send.
MediaType = Literal[PictureType, "application/pdf", "text/plain"]
# A client attaches with fifty messages in one frame of at most 64 MiB, which is 48 pictures of this
# size in base64; a screenshot is much smaller.
PICTURE_BYTES = 1024 * 1024
# The largest side in JPEG and GIF; a larger one is an error or an attack.
PICTURE_SIDE = 65_535


class Text(msgspec.Struct, frozen=True, tag="text", omit_defaults=True):
    """Markdown text."""

    text: str


class Reasoning(msgspec.Struct, frozen=True, tag="reasoning", omit_defaults=True):
    """The model's reasoning, as far as its provider shows it."""

    text: str
    duration_ms: int | None = None


class ToolCall(msgspec.Struct, frozen=True, tag="tool_call", omit_defaults=True):
    """A tool call by the model. `id` is the daemon's; `arguments` is JSON text."""

    id: str
    name: str
    arguments: str


class Picture(msgspec.Struct, frozen=True, omit_defaults=True):
    """A picture: `data` is its file (base64 in JSON), `width` and `height` are in pixels.

    A larger one will later be fetched by the id of a file, in place of `data`.

    Raises:
        ValueError: it has no pixels, sides over `PICTURE_SIDE`, or over `PICTURE_BYTES`. Decoding
            raises `msgspec.ValidationError`: a client drops such a picture.
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
        """The name of its format, such as PNG."""
        return self.media_type.removeprefix("image/").upper().replace("WEBP", "WebP")


class ToolResult(msgspec.Struct, frozen=True, tag="tool_result", omit_defaults=True):
    """The result of a call, or a synthetic one if it never ran."""

    call_id: str
    text: str
    is_error: bool = False
    duration_ms: int | None = None
    picture: Picture | None = None

    @property
    def in_words(self) -> str:
        """The text, with a line that stands for the picture, if there is one."""
        if self.picture is None:
            return self.text
        line = f"[picture: {self.picture.kind} {self.picture.width}x{self.picture.height}]"
        return f"{self.text}\n{line}" if self.text else line


class Source(msgspec.Struct, frozen=True, tag="source", omit_defaults=True):
    """A web page that the model cites."""

    url: str
    title: str = ""


class Boundary(msgspec.Struct, frozen=True, tag="boundary", omit_defaults=True):
    """A boundary in the conversation: the model does not see what is before it."""

    reason: Literal["compacted", "cleared"]
    text: str = ""


class Failure(msgspec.Struct, frozen=True, tag="failure", omit_defaults=True):
    """The turn ended here with an error. Users see it, a model never does."""

    error: ChatError


class File(msgspec.Struct, frozen=True, tag="file", omit_defaults=True):
    """A file that was sent with a message. `size` is in bytes.

    `GET /files/{id}` has its content, unless it was removed meanwhile.
    """

    id: str
    name: str
    media_type: MediaType
    size: int

    @property
    def in_words(self) -> str:
        """One line that stands for it: its name, kind and size."""
        kind = self.media_type.rpartition("/")[2].upper().replace("PLAIN", "text")
        return f"{self.name} ({kind.replace('WEBP', 'WebP')}, {_size(self.size)})"


def _size(size: int) -> str:
    for unit, name in ((1024 * 1024, "MiB"), (1024, "KiB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} bytes"


Part = Text | Reasoning | ToolCall | ToolResult | Source | Boundary | Failure | File


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Tokens of one model call. None: the provider did not report it."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_read_tokens: int | None = None


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """One committed message. `revision` is the snapshot that last changed it.

    `key` is the idempotency key of the request that sent it, `queued_id` its former id in the
    queue: a client recognises its own messages by them. They are None for a message that was sent
    without a key, or never queued; a fork's copies have neither. `cost_micros` is in millionths of
    a dollar (None: unpriced); `runtime_ms` is the time from the request to the end of the answer.
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
    """A message in the queue. `position` counts from 0.

    `key` is the idempotency key of the request that sent it, which it keeps in history. A message
    with a `steer_turn` steers: while that is the chat's turn, the model gets it after the results
    of the current step. Once the turn is over, it waits like the others.
    """

    id: int
    position: int
    content: str
    created_at: datetime
    model: str | None = None
    key: str | None = None
    steer_turn: int | None = None
    files: list[File] = []


class MessagePage(msgspec.Struct, frozen=True):
    """A page of messages; `more` says whether there is another one in the same direction."""

    messages: list[Message]
    more: bool
