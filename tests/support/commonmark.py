"""CommonMark's own examples, read from a source archive that `make venv` fetches.

They stand in the archive of markdown-it-py, under a licence (CC BY-SA 4.0) of their own; so they
are read from there and not kept here.
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
    """Return the archives that were fetched."""
    return sorted((Path(sys.prefix) / "commonmark").glob("markdown_it_py-*.tar.gz"))


def examples() -> list[Example]:
    """Read all examples, in their order."""
    with tarfile.open(archives()[-1]) as archive:
        [member] = [one for one in archive.getmembers() if one.name.endswith(_MEMBER)]
        found = archive.extractfile(member)
        assert found is not None
        return msgspec.json.decode(found.read(), type=list[Example])
