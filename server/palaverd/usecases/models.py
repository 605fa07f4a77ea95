"""Check the model that a request names."""

from __future__ import annotations

import difflib

from palaverd.usecases.context import Context
from palaverd.usecases.errors import UnknownModel


def check_model(context: Context, name: str | None) -> None:
    """Check that a model is configured; None is any.

    Raises:
        UnknownModel: there is no such model; the message suggests the nearest one.
    """
    names = context.model_names()
    if name is None or name in names:
        return
    near = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    known = ", ".join(names) or "none"
    raise UnknownModel(f"There is no model {name}.{hint} Configured: {known}.", "model")
