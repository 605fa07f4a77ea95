"""CommonMark's examples, read from a source archive that `make venv` downloads.

They are in the archive of markdown-it-py, under their own licence (CC BY-SA 4.0), so they are read
from there instead of being copied here.
"""

from __future__ import annotations

import sys
import tarfile
from pathlib import Path

import msgspec

_MEMBER = "/tests/test_cmark_spec/commonmark.json"


class Example(msgspec.Struct, frozen=True):
    """One example of the specification."""

    markdown: str
    example: int
    section: str


def archives() -> list[Path]:
    """Return the downloaded archives."""
    return sorted((Path(sys.prefix) / "commonmark").glob("markdown_it_py-*.tar.gz"))


def examples() -> list[Example]:
    """Return all examples, in order."""
    with tarfile.open(archives()[-1]) as archive:
        [member] = [one for one in archive.getmembers() if one.name.endswith(_MEMBER)]
        found = archive.extractfile(member)
        assert found is not None
        return msgspec.json.decode(found.read(), type=list[Example])
