"""Rows of the files that clients sent. A row names its file by its id; see `file_folder`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from palaver.wire.files import StoredFile
from palaver.wire.messages import File, MediaType
from palaverd.store import codec
from palaverd.store.tables import files, messages, queued_messages

_BY_ID = select(files).where(
    files.c.id == bindparam("of_id"), files.c.owner == bindparam("of_owner")
)
_SAME = select(files).where(
    files.c.owner == bindparam("of_owner"),
    files.c.digest == bindparam("of_digest"),
    files.c.name == bindparam("of_name"),
)


class NewFile(msgspec.Struct, frozen=True):
    """A file that has arrived, whose content is stored under `id`. `digest` is its SHA-256."""

    id: str
    owner: str
    name: str
    media_type: MediaType
    size: int
    digest: str


def store_file(connection: Connection, new: NewFile, now: int) -> StoredFile:
    """Store the row of a file, or return that of the same file, whose age begins anew."""
    same = {"of_owner": new.owner, "of_digest": new.digest, "of_name": new.name}
    found: Any = connection.execute(_SAME, same).mappings().first()
    if found is not None:
        connection.execute(update(files).where(files.c.id == found["id"]).values(uploaded_at=now))
        return _wire(found)
    row = {**msgspec.structs.asdict(new), "uploaded_at": now}
    connection.execute(insert(files).values(row))
    return _wire(row)


def find_file(connection: Connection, file_id: str, owner: str) -> StoredFile | None:
    """Return a file's row; None if this owner has no such file."""
    of_file = {"of_id": file_id, "of_owner": owner}
    found: Any = connection.execute(_BY_ID, of_file).mappings().first()
    return None if found is None else _wire(found)


def remove_old_files(connection: Connection, before: int, most: int) -> list[str]:
    """Remove the rows of files that were sent before a time (milliseconds); return their ids.

    A file of a message is kept as long as the message.
    """
    old = select(files.c.id).where(files.c.uploaded_at < before).order_by(files.c.uploaded_at)
    used = set(_used(connection))
    ids = [found for found in connection.execute(old).scalars() if found not in used][:most]
    connection.execute(delete(files).where(files.c.id.in_(ids)))
    return ids


def _used(connection: Connection) -> Iterator[str]:
    """Yield the ids of the files of all messages."""
    in_history = select(messages.c.files).where(messages.c.files.is_not(None))
    for text in connection.execute(in_history).scalars():
        yield from codec.loads(text, list[str]) or ()
    queued = select(queued_messages.c.files).where(queued_messages.c.files.is_not(None))
    for text in connection.execute(queued).scalars():
        yield from (file.id for file in codec.load_files(text))


def owned_files(connection: Connection, ids: Sequence[str], owner: str) -> dict[str, File]:
    """Return those of these files that an owner has, by their ids, as parts of a message."""
    wanted = select(files).where(files.c.id.in_(ids), files.c.owner == owner)
    return {
        row.id: File(row.id, row.name, row.media_type, row.size)
        for row in connection.execute(wanted)
    }


def known_files(connection: Connection, ids: Collection[str]) -> set[str]:
    """Return which of these ids have a row."""
    return set(connection.execute(select(files.c.id).where(files.c.id.in_(ids))).scalars())


def _wire(row: Any) -> StoredFile:
    return StoredFile(
        id=row["id"],
        name=row["name"],
        media_type=row["media_type"],
        size=row["size"],
        sha256=row["digest"],
    )
