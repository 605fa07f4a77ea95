"""A chat as a document: what an export contains, and what an import accepts.

An export is one JSON object: the fields of `ExportHead`, and `messages`, a list of
`ExportedMessage`. An import accepts the same, strictly: unknown fields are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final, Literal, get_args

import msgspec
from msgspec import Meta

from palaver.wire.bounds import Whole
from palaver.wire.errors import ChatError, SpendLimit
from palaver.wire.messages import (
    Boundary,
    Failure,
    File,
    Finish,
    Part,
    Picture,
    Reasoning,
    Role,
    Source,
    Text,
    ToolCall,
    ToolResult,
    Usage,
)

ExportKind = Literal["md", "json"]
EXPORT_KINDS: Final[tuple[ExportKind, ...]] = get_args(ExportKind)
ExportFormat = Literal["palaver-chat"]
EXPORT_FORMAT: Final[ExportFormat] = "palaver-chat"
# Incremented when an older daemon would misread the document.
ExportVersion = Literal[1]
EXPORT_VERSION: Final[ExportVersion] = 1
# Bytes of a document, and messages in it: ten times the longest chats that people have.
IMPORT_LIMIT: Final = 64 * 1024 * 1024
IMPORT_MESSAGES: Final = 100_000

# A time with its zone: without one it is a guess.
Moment = Annotated[datetime, Meta(tz=True)]


def kind_of(name: str) -> ExportKind:
    """Return the format that the name of a file stands for: JSON by its ending, else Markdown."""
    return "json" if name.lower().endswith(".json") else "md"


class ExportedChat(msgspec.Struct, frozen=True, omit_defaults=True):
    """A chat's properties that make sense elsewhere: not its ids, files, queue or state."""

    title: str
    created_at: datetime
    model: str | None = None
    system_prompt: str | None = None
    labels: dict[str, str] = {}


class ExportedMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message that users see; see `palaver.wire.messages.Message`."""

    role: Role
    parts: Sequence[Part]
    created_at: datetime
    visibility: Literal["both", "user"] = "both"
    model: str | None = None
    finish: Finish | None = None
    usage: Usage | None = None
    cost_micros: int | None = None
    runtime_ms: int | None = None


class ExportHead(msgspec.Struct, frozen=True):
    """The beginning of an export; its messages follow."""

    format: ExportFormat
    version: ExportVersion
    exported_at: datetime
    chat: ExportedChat


# --- imports: strict ------------------------------------------------------------------------


class ImportedText(Text, frozen=True, forbid_unknown_fields=True, tag="text"):
    """Text in an import."""


class ImportedReasoning(Reasoning, frozen=True, forbid_unknown_fields=True, tag="reasoning"):
    """Reasoning in an import."""


class ImportedCall(ToolCall, frozen=True, forbid_unknown_fields=True, tag="tool_call"):
    """A tool call in an import."""


class ImportedPicture(Picture, frozen=True, forbid_unknown_fields=True):
    """A picture in an import."""


class ImportedResult(ToolResult, frozen=True, forbid_unknown_fields=True, tag="tool_result"):
    """The result of a call in an import."""

    picture: ImportedPicture | None = None


class ImportedSource(Source, frozen=True, forbid_unknown_fields=True, tag="source"):
    """A source in an import."""


class ImportedBoundary(Boundary, frozen=True, forbid_unknown_fields=True, tag="boundary"):
    """A boundary in an import."""


class ImportedLimit(SpendLimit, frozen=True, forbid_unknown_fields=True):
    """A spending limit in an import."""

    resets_at: Moment | None = None


class ImportedError(ChatError, frozen=True, forbid_unknown_fields=True):
    """A failure in an import."""

    limit: ImportedLimit | None = None
    retry_at: Moment | None = None


class ImportedFailure(Failure, frozen=True, forbid_unknown_fields=True, tag="failure"):
    """The failure of a turn in an import."""

    error: ImportedError


class ImportedFile(File, frozen=True, forbid_unknown_fields=True, tag="file"):
    """A file of a message in an import. Its content is not in the document."""

    size: Whole


class ImportedUsage(Usage, frozen=True, forbid_unknown_fields=True):
    """Token counts in an import."""

    input_tokens: Whole | None = None
    output_tokens: Whole | None = None
    reasoning_tokens: Whole | None = None
    cache_write_tokens: Whole | None = None
    cache_read_tokens: Whole | None = None


ImportedPart = (
    ImportedText
    | ImportedReasoning
    | ImportedCall
    | ImportedResult
    | ImportedSource
    | ImportedBoundary
    | ImportedFailure
    | ImportedFile
)


class ImportedMessage(ExportedMessage, frozen=True, forbid_unknown_fields=True):
    """One message of an import."""

    parts: list[ImportedPart]
    created_at: Moment
    usage: ImportedUsage | None = None
    cost_micros: Whole | None = None
    runtime_ms: Whole | None = None


class ImportedChat(ExportedChat, frozen=True, forbid_unknown_fields=True):
    """The properties of a chat in an import."""

    created_at: Moment


class ImportChat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Create a chat with the history of an export."""

    format: ExportFormat
    version: ExportVersion
    chat: ImportedChat
    messages: list[ImportedMessage]
    exported_at: Moment | None = None
