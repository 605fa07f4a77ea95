"""Use cases of files that clients send."""

from __future__ import annotations

import asyncio

import msgspec

from palaver.wire.files import FILE_LIMIT, StoredFile
from palaverd.file_folder import FileFolder, FolderError, ReceivedFile
from palaverd.file_types import recognise
from palaverd.store.database import DatabaseError
from palaverd.store.uploads import NewFile, find_file, store_file
from palaverd.usecases.context import Context
from palaverd.usecases.errors import InvalidRequest


class UnknownType(InvalidRequest):
    """The file is of no type that is accepted."""

    code = "unknown_type"

    def __init__(self) -> None:
        super().__init__(
            "The file is none that is accepted: PNG, JPEG, GIF, WebP, PDF, or text in UTF-8. Its"
            " content counts, not its name.",
            "name",
        )


class FileNotFound(Exception):
    """This owner has no such file."""

    def __init__(self, file_id: str) -> None:
        super().__init__(f"There is no file {file_id}.")


class Kept(msgspec.Struct, frozen=True):
    """A stored file, and whether it was stored before."""

    file: StoredFile
    repeated: bool


async def keep_file(
    context: Context, folder: FileFolder, owner: str, name: str, received: ReceivedFile
) -> Kept:
    """Store a file that has arrived. The same file with the same name is stored once.

    Raises:
        InvalidRequest: it is empty, or of a type that is not accepted.
        FolderError, DatabaseError: nothing was stored.
    """
    assert received.size <= FILE_LIMIT
    if received.size == 0:
        raise InvalidRequest("The file is empty.", "name")
    media_type = await asyncio.to_thread(recognise, received)
    if media_type is None:
        raise UnknownType
    new = NewFile(
        id=context.door.new_id(),
        owner=owner,
        name=name,
        media_type=media_type,
        size=received.size,
        digest=received.digest,
    )
    # The content first: a crash in between leaves a file without a row, which is removed later.
    await folder.keep(received, new.id)
    now = context.door.now_ms()
    try:
        file = await context.door.database.write(lambda c: store_file(c, new, now))
    except DatabaseError:  # after a cancellation it may have been committed all the same
        await folder.remove([new.id])
        raise
    repeated = file.id != new.id
    if repeated:  # in case that the content of the stored one is missing
        await folder.rename(new.id, file.id)
    return Kept(file, repeated)


async def find_stored(context: Context, folder: FileFolder, file_id: str, owner: str) -> StoredFile:
    """Return a file whose content is there.

    Raises:
        FileNotFound: this owner has no such file.
        FolderError: its content is gone.
        DatabaseError: it cannot be read.
    """
    file = await context.door.database.read(lambda c: find_file(c, file_id, owner))
    if file is None:
        raise FileNotFound(file_id)
    if not await asyncio.to_thread(folder.path_of(file.id).is_file):
        raise FolderError(f"The content of the file {file_id} is missing.")
    return file
