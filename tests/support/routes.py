"""The declaration of each route that the daemon serves."""

from __future__ import annotations

from palaverd.api.app import ROUTES
from palaverd.api.declared import Declared, declared_of

DECLARED = [one for table in ROUTES for route in table if (one := declared_of(route.handler))]


def route_of(method: str, path: str) -> Declared:
    """Return the route that a path leads to; it may have names of parameters, as `{chat_id}`."""
    (found,) = (one for one in DECLARED if one.method == method and _fits(one.path, path))
    return found


def _fits(template: str, path: str) -> bool:
    names, pieces = template.split("/"), path.split("/")
    return len(names) == len(pieces) and all(
        name.startswith("{") or name == piece for name, piece in zip(names, pieces, strict=True)
    )
