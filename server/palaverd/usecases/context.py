"""The dependencies of use cases, passed to each as its first argument."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from palaverd.store.door import Door


class Context(msgspec.Struct, frozen=True):
    """The door to the chats, the names of the configured models, and this machine's name.

    `cannot_read` returns the name of the model that answers, if it does not understand files of a
    type; None if it does. It takes the type, and the models that were chosen, the first one first.
    """

    door: Door
    model_names: Callable[[], Sequence[str]]
    host: str
    cannot_read: Callable[..., str | None] = lambda *_: None
