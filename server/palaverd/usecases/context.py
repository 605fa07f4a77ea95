"""The dependencies of use cases, passed to each as its first argument."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from palaverd.store.door import Door


class Context(msgspec.Struct, frozen=True):
    """The door to the chats, the names of the configured models, and this machine's name."""

    door: Door
    model_names: Callable[[], Sequence[str]]
    host: str
