"""What is wrong with a body or a parameter, as a sentence."""

from __future__ import annotations

from palaver.misfits import Misfit, shown, suggestion
from palaverd.api.problems import BadRequest


def refusal(misfit: Misfit, what: str) -> BadRequest:
    """Return the refusal of a `what`, a field or a parameter; it is named."""
    return BadRequest(_explain(misfit, what), field=misfit.path or None)


def _explain(misfit: Misfit, what: str) -> str:
    if misfit.problem == "unknown":
        hint = suggestion(misfit.name, misfit.allowed)
        return f"There is no {what} {misfit.path}.{hint} Allowed: {', '.join(misfit.allowed)}."
    if misfit.problem == "missing":
        return f"{misfit.path} is missing."
    if misfit.problem == "repeated":
        return f"{misfit.path} is given more than once."
    place = misfit.path or "The body"
    if misfit.problem == "refused":
        return f"{place} is {misfit.value}, which is not accepted."
    return f"{place} is {shown(misfit.value)}: it must be {misfit.wanted}."
