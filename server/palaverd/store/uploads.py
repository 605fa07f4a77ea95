"""Rows of the files that clients sent. A row names its file by its id; see `file_folder`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from palaver.wire.files import MediaType, StoredFile
from palaverd.store.tables import files

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
    """Remove the rows of files that were sent before a time (milliseconds); return their ids."""
    old = select(files.c.id).where(files.c.uploaded_at < before).limit(most)
    ids = list(connection.execute(old).scalars())
    connection.execute(delete(files).where(files.c.id.in_(ids)))
    return ids


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
