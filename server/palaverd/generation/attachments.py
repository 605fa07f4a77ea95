"""The files of a conversation, as a model gets them."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterable, Mapping
from typing import Final

from palaver.wire.bounds import FILES_BYTES
from palaver.wire.messages import File, Text
from palaverd.file_folder import FileFolder, FolderError
from palaverd.generation.catalog import Chosen
from palaverd.providers.neutral import Attachment
from palaverd.store.database import Database
from palaverd.store.prompt import History
from palaverd.store.uploads import owned_files
from palaverd.tools.output import budget_of, clipped

# Bytes of pictures and documents in one prompt; what is older is words. As much as one message may
# have, so that the newest one is always whole.
MOST_BYTES: Final = FILES_BYTES
# A database takes more parameters than this in one query; no conversation has so many.
MOST_FILES: Final = 500


async def read_files(
    database: Database, folder: FileFolder, history: History, chosen: Chosen
) -> Mapping[str, Text | Attachment]:
    """Return the files of a chat's messages by their ids; what cannot be read is a placeholder.

    Texts are cut to what a tool's output may have.

    Raises:
        DatabaseError: nothing can be read.
    """
    parts = (part for message in history.messages for part in message.parts)
    newest_first = [part for part in parts if isinstance(part, File)][: -MOST_FILES - 1 : -1]
    if not newest_first:
        return {}
    ids, owner = [file.id for file in newest_first], history.row.owner
    known = await database.read(lambda c: owned_files(c, ids, owner))
    readable, result = _chosen(newest_first, known, chosen)
    budget = budget_of(chosen.config.context_limit)
    for file in readable:
        try:
            data = await folder.read(file.id, 0, file.size)
        except FolderError:
            result[file.id] = _gone(file)
            continue
        if file.media_type == "text/plain":
            result[file.id] = _text(file, data, budget)
        else:
            encoded = await asyncio.to_thread(base64.b64encode, data)
            result[file.id] = Attachment(file.name, file.media_type, encoded.decode())
    return result


def placeholder(file: File) -> Text:
    """Return what stands for a file that is not in the result of `read_files`."""
    return _gone(file)


def _chosen(
    files: Iterable[File], known: Mapping[str, File], chosen: Chosen
) -> tuple[list[File], dict[str, Text | Attachment]]:
    """Return the files to read, and placeholders for the others."""
    readable: dict[str, File] = {}
    result: dict[str, Text | Attachment] = {}
    left = MOST_BYTES
    for asked in files:
        file = known.get(asked.id)
        if asked.id in readable or asked.id in result:
            continue
        if file is None:
            result[asked.id] = _gone(asked)
        elif not chosen.reads(file.media_type):
            result[asked.id] = Text(f"[The file {file.in_words} is not shown: you cannot read it.]")
        elif file.media_type != "text/plain" and file.size > left:
            result[asked.id] = Text(f"[The file {file.in_words} is left out: newer ones fill up.]")
        else:
            readable[asked.id] = file
            left -= 0 if file.media_type == "text/plain" else file.size
    return list(readable.values()), result


def _gone(file: File) -> Text:
    return Text(f"[The file {file.in_words} is no longer there.]")


def _text(file: File, data: bytes, budget: int) -> Text:
    text = clipped(data.decode("utf-8", "replace"), budget, "The person has all of it.")
    name = " ".join(file.name.replace('"', "'").split())
    return Text(f'<file name="{name}">\n{text}\n</file>')
