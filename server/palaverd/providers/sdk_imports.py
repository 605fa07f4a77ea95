"""Imports of SDKs that can fail halfway and be retried."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# One at a time: another import may use the modules that a failed one leaves.
_importing = threading.Lock()


@contextmanager
def all_or_nothing() -> Iterator[None]:
    """Remove the modules that a failed import in this `with` block left behind.

    Python removes the module that failed, but keeps the submodules of a package that were loaded by
    then. A second import would combine them with a new package: attributes would be missing, and
    classes would exist twice. Thread-safe.
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
    """Return whether a parent package of the module is not loaded."""
    parents = name.split(".")[:-1]
    return any(".".join(parents[: n + 1]) not in sys.modules for n in range(len(parents)))
