"""What a number may be in a request."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

LARGEST = 2**63 - 1  # what a database keeps of a number

# An id, a version, a place: a number that counts something.
Whole = Annotated[int, Meta(ge=0, le=LARGEST)]
