"""Check the model that a request names."""

from __future__ import annotations

from palaver.misfits import suggestion
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
    known = ", ".join(names) or "none"
    raise UnknownModel(
        f"There is no model {name}.{suggestion(name, names)} Configured: {known}.", "model"
    )
