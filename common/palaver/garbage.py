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
from typing import Final

# Objects that may be part of a cycle, made and not yet freed, after which a daemon searches; the
# default is 700. A chat in progress has some hundred of them, nearly all of which are freed without
# a search: with a hundred chats at once, searches took a twelfth of the daemon's time. More would
# save little, and keep more of the 33 of each chat that only a search frees.
_YOUNG: Final = 5000


def keep_loaded() -> None:
    """Look no more for garbage in what exists now. Takes microseconds."""
    gc.freeze()


def search_less_often() -> None:
    """Search for garbage only after many objects were made, as in a daemon with many chats."""
    gc.set_threshold(_YOUNG)


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
