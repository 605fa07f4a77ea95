"""Decode the document of an import, which is in a file, without having it in memory as a whole."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from palaver.misfits import find_json_misfit
from palaver.wire.exports import (
    IMPORT_MESSAGES,
    ExportFormat,
    ExportVersion,
    ImportChat,
    ImportedChat,
    ImportedMessage,
    Moment,
)
from palaver.wire.messages import Role
from palaverd.api.limits import BODY_LIMIT
from palaverd.api.problems import BadRequest, sentence
from palaverd.api.refusals import refusal
from palaverd.usecases.importing import Imported

T = TypeVar("T")

# Decoded messages in memory at a time.
_BATCH: Final = 100


class _Begun(msgspec.Struct, frozen=True, gc=False):
    """A message of which only the role is decoded, to count them: no list of junk gets far."""

    role: Role


class _Counted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The document, with its messages counted only."""

    format: ExportFormat
    version: ExportVersion
    chat: msgspec.Raw
    messages: list[_Begun]
    exported_at: Moment | None = None


class _Sliced(msgspec.Struct, frozen=True):
    """The messages of the document, not decoded."""

    messages: list[msgspec.Raw]


_counted: Final = msgspec.json.Decoder(_Counted)
_chat: Final = msgspec.json.Decoder(ImportedChat)
_sliced: Final = msgspec.json.Decoder(_Sliced)
_message: Final = msgspec.json.Decoder(ImportedMessage)


def read_import(path: Path, digest: str) -> Imported:
    """Return the document in a file. Blocks: call it in a thread.

    The file may be removed afterwards. Iterating over the messages raises like this does.

    Raises:
        BadRequest: it is no export; the field is named.
        OSError: the file cannot be read.
    """
    text = _mapped(path)
    counted = _decode(text, _counted, ImportChat, "")
    if len(counted.messages) > IMPORT_MESSAGES:
        raise BadRequest(
            f"A chat of more than {IMPORT_MESSAGES} messages cannot be imported.", field="messages"
        )
    chat = _decode(memoryview(counted.chat), _chat, ImportedChat, "chat")
    sliced = _sliced.decode(text).messages
    return Imported(chat, lambda: _batches(sliced), digest)


def _mapped(path: Path) -> memoryview:
    """Return the contents of a file, which the system reads when they are needed."""
    with path.open("rb") as file:
        try:
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except ValueError:  # it is empty
            return memoryview(b"")


def _batches(sliced: Sequence[msgspec.Raw]) -> Iterator[Sequence[ImportedMessage]]:
    for start in range(0, len(sliced), _BATCH):
        batch = []
        for number, raw in enumerate(sliced[start : start + _BATCH], start):
            text = memoryview(raw)
            batch.append(_decode(text, _message, ImportedMessage, f"messages[{number}]"))
        yield batch


def _decode(text: memoryview, decoder: msgspec.json.Decoder[T], documented: type, place: str) -> T:
    """Return a part of the document, at `place`.

    Raises:
        BadRequest: it does not fit; the misfit is one with the type `documented`.
    """
    try:
        try:
            return decoder.decode(text)
        except msgspec.ValidationError as error:
            if len(text) > BODY_LIMIT:
                # To look for the misfit takes many times the memory.
                what = sentence(f"{place or 'The document'} does not fit: {error}")
                raise BadRequest(what, field=place or None) from None
            misfit = find_json_misfit(bytes(text), documented)
    except RecursionError:
        raise BadRequest("The body is not readable: it is nested too deeply.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"The body is not JSON: {error}.") from None
    path = ".".join(one for one in (place, misfit.path) if one)
    raise refusal(msgspec.structs.replace(misfit, path=path), "field")
