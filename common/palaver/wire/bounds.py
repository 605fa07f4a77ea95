"""Bounds of numbers in requests."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

LARGEST = 2**63 - 1  # the largest integer that the database stores

# An id, a version or a position.
Whole = Annotated[int, Meta(ge=0, le=LARGEST)]
