"""An import of an SDK that failed halfway is repeated from the start, not continued."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from palaverd.providers.sdk_imports import all_or_nothing

# A package whose second module needs a file, and which uses its first module by its full name.
FILES = {
    "__init__.py": "import sdkx.first\nimport sdkx.second\nVALUE = sdkx.first.Thing()\n",
    "first.py": "class Thing:\n    pass\n",
    "second.py": "import sdkx_needs\n",
}
FAILS = f"raise OSError({errno.EMFILE}, {os.strerror(errno.EMFILE)!r})\n"


@pytest.fixture
def needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file that the package needs: importing fails until it is written again."""
    (tmp_path / "sdkx").mkdir()
    for name, text in FILES.items():
        (tmp_path / "sdkx" / name).write_text(text)
    path = tmp_path / "sdkx_needs.py"
    path.write_text(FAILS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield path
    for name in [name for name in sys.modules if name.partition(".")[0].startswith("sdkx")]:
        del sys.modules[name]


def load() -> ModuleType:
    with all_or_nothing():
        return importlib.import_module("sdkx")


def test_nothing_is_left_of_an_import_that_failed_and_the_next_one_is_whole(needed: Path) -> None:
    with pytest.raises(OSError, match=os.strerror(errno.EMFILE)):
        load()
    assert not [name for name in sys.modules if name.startswith("sdkx.")]
    needed.write_text("")
    assert isinstance(load().VALUE, sys.modules["sdkx.first"].Thing)


def test_what_was_whole_stays_as_it_is(needed: Path) -> None:
    """Others may hold references to it: a second copy would be another module."""
    needed.write_text("")
    sdk = load()
    with pytest.raises(ZeroDivisionError), all_or_nothing():
        raise ZeroDivisionError
    assert load() is sdk
