"""The JSON Schema of a tool's parameters, as models read it."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec

_REF = "#/"


def schema_of(parameters: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the schema of a struct as one object, without references.

    Servers with small models, and grammars made from schemas, do not resolve references. Names of
    types are left out: they say nothing to a model.
    """
    [schema], components = msgspec.json.schema_components(
        [parameters], ref_template=_REF + "{name}"
    )
    inlined: dict[str, Any] = _inline(schema, components)
    inlined.pop("description", None)  # the tool has one
    return inlined


def _inline(value: Any, components: dict[str, Any]) -> Any:
    match value:
        case {"$ref": str(ref)}:
            return _inline(components[ref.removeprefix(_REF)], components)
        case dict():
            return {
                key: inspect.cleandoc(one) if key == "description" else _inline(one, components)
                for key, one in value.items()
                if key != "title"
            }
        case list():
            return [_inline(one, components) for one in value]
        case _:
            return value
