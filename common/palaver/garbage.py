"""Keep what is loaded once out of the searches for garbage.

A search for cycles looks at every object that may be part of one. Of a daemon's, nine of ten belong
to modules, above all to those of the SDKs: a search through all of them takes 100 to 180 ms, in
which no token is passed on. While the modules of a client are loaded, searches take a tenth of the
time. Modules stay until the process ends, so none of them need be looked at.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def keep_loaded() -> None:
    """Look no more for garbage in what exists now. Takes microseconds."""
    gc.freeze()


@contextmanager
def loading() -> Iterator[None]:
    """Load modules in this `with` block without a search, and keep them out of later ones.

    If all of them were there already, nothing is kept out: it would be what others are doing now.
    """
    searching, loaded = gc.isenabled(), len(sys.modules)
    gc.disable()
    try:
        yield
    finally:
        if len(sys.modules) > loaded:
            keep_loaded()
        if searching:
            gc.enable()
