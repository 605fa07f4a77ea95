"""Pages of the whole output of an earlier call, which may be very large."""

from __future__ import annotations

import codecs
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from palaverd.tools.failures import ToolError
from palaverd.tools.output import OUTPUT_NAME, OUTPUT_SCHEME

# Bytes. A longer line is shown in parts, each with a number: so every byte can be reached.
LONGEST_LINE = 4000
# As the daemon makes them; a name with a slash or dots would lead out of the chat's folder.
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def rows_of(chat_folder: Path, path: str) -> Iterator[str]:
    """Yield the lines of an output, by its path `output:CALL_ID`.

    `chat_folder` has the folders of the chat's calls.

    Raises:
        ToolError: no call of this chat has that id and a whole output. Raised at once.
    """
    descriptor = _open(chat_folder, path)

    def rows() -> Iterator[str]:
        with os.fdopen(descriptor, "rb", 256 * 1024) as file:
            decode = codecs.getincrementaldecoder("utf-8")("replace").decode
            while row := file.readline(LONGEST_LINE):
                yield decode(row).removesuffix("\n").removesuffix("\r")

    return rows()


def _open(chat_folder: Path, path: str) -> int:
    call_id = path.removeprefix(OUTPUT_SCHEME)
    none = ToolError(f"No call of this chat has a whole output of the name {path}.")
    if _ID.fullmatch(call_id) is None:
        raise none
    try:
        descriptor = os.open(chat_folder / call_id / OUTPUT_NAME, _FLAGS)
    except OSError:
        raise none from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise none
    return descriptor
