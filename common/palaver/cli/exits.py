"""The exit codes of `palaver`; `palaver --help` shows this table."""

from __future__ import annotations

from typing import Final

FINISHED: Final = 0
FAILED: Final = 1
USAGE: Final = 2
CHAT_ERROR: Final = 3
ACTION_REQUIRED: Final = 4
INCOMPLETE: Final = 5
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141
TERMINATED: Final = 143

MEANINGS: Final[tuple[tuple[int, str], ...]] = (
    (FINISHED, "done; the turn finished"),
    (FAILED, "it could not be done; one sentence on stderr says why"),
    (USAGE, "the command was not understood"),
    (CHAT_ERROR, "the turn ended in an error of the chat, which is stored there"),
    (ACTION_REQUIRED, "the turn waits for an answer that this command cannot give"),
    (INCOMPLETE, "the answer was cut off at a limit, filtered, or has no text"),
    (INTERRUPTED, "interrupted"),
    (BROKEN_PIPE, "the reader of the output closed it"),
    (TERMINATED, "ended by SIGTERM"),
)
