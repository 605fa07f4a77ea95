"""Imports of SDKs that can fail in the middle, and be tried again."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# One at a time: what one import leaves behind, another one could be about to use.
_importing = threading.Lock()


@contextmanager
def whole_or_anew() -> Iterator[None]:
    """Forget what an import that failed in this `with` block left behind.

    Python forgets the module that failed, and keeps the parts of a package that were loaded by
    then. A second import would join them to a package that does not know them: attributes would
    be missing, and classes would be there twice. It may be used in any thread.
    """
    with _importing:
        before = set(sys.modules)
        try:
            yield
        except BaseException:
            for name in sys.modules.keys() - before:
                if _is_orphan(name):
                    del sys.modules[name]
            importlib.invalidate_caches()
            raise


def _is_orphan(name: str) -> bool:
    """Say whether a package that the module is part of is gone."""
    parents = name.split(".")[:-1]
    return any(".".join(parents[: n + 1]) not in sys.modules for n in range(len(parents)))
