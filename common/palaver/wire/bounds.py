"""Bounds of what requests contain."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

LARGEST = 2**63 - 1  # the largest integer that the database stores

# An id, a version or a position.
Whole = Annotated[int, Meta(ge=0, le=LARGEST)]

FILES_LIMIT = 10  # files of one message
# Bytes of the files of one message; in base64 they are within the 32 MB of Anthropic's requests.
FILES_BYTES = 20 * 1024 * 1024
# Bytes of one picture in a message: in base64 5 MiB, the most that Anthropic takes.
PICTURE_LIMIT = 3_932_160
# The ids of files.
FileIds = Annotated[list[str], Meta(max_length=FILES_LIMIT)]
