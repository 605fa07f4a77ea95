"""Check the files that a message names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Connection

from palaver.wire.bounds import FILES_BYTES, PICTURE_LIMIT
from palaver.wire.messages import File
from palaverd.store.uploads import owned_files
from palaverd.usecases.context import Context
from palaverd.usecases.errors import InvalidRequest

_MIB: Final = 1024 * 1024


class UnknownFile(InvalidRequest):
    """This owner has no such file."""

    code = "unknown_file"

    def __init__(self, file_id: str) -> None:
        super().__init__(
            f"There is no file {file_id}; it may have been removed. Send it again first.", "files"
        )


class NotReadable(InvalidRequest):
    """The model that answers does not understand a file."""

    code = "unreadable_file"

    def __init__(self, file: File, model: str) -> None:
        if file.media_type == "application/pdf":
            hint = "its protocol takes no PDF. Choose another model, or send the text of it."
        else:
            hint = (
                "it is not known to see pictures. Choose another model, or set vision = true for it"
                " in the configuration."
            )
        super().__init__(f"{model} cannot read {file.name}: {hint}", "files")


def find_attached(connection: Connection, owner: str, ids: Sequence[str]) -> list[File]:
    """Return the files that a message names, each once, in their order. One query.

    Raises:
        UnknownFile: this owner has no such file.
        InvalidRequest: they are too large, together or one picture.
    """
    if not ids:
        return []
    wanted = list(dict.fromkeys(ids))
    found = owned_files(connection, wanted, owner)
    for one in wanted:
        if one not in found:
            raise UnknownFile(one)
    files = [found[one] for one in wanted]
    if sum(file.size for file in files) > FILES_BYTES:
        raise InvalidRequest(
            f"The files of a message may have {FILES_BYTES // _MIB} MiB together.", "files"
        )
    for file in files:
        if file.media_type.startswith("image/") and file.size > PICTURE_LIMIT:
            raise InvalidRequest(
                f"{file.in_words} is too large: a picture in a message may have"
                f" {PICTURE_LIMIT / _MIB:.2f} MiB. Make it smaller first.",
                "files",
            )
    return files


def check_readable(context: Context, files: Iterable[File], *models: str | None) -> None:
    """Check that the model that will answer understands the files.

    `models` are those that were chosen, the first one first; None is no choice.

    Raises:
        NotReadable: it does not.
    """
    for file in files:
        model = context.cannot_read(file.media_type, *models)
        if model is not None:
            raise NotReadable(file, model)
