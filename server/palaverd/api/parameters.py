"""Decode the parameters of an address: those in its path, and those of its query."""

from __future__ import annotations

import re
import types
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import msgspec
from multidict import MultiMapping

from palaver.misfits import Misfit, find_misfit
from palaverd.api.problems import BadRequest
from palaverd.api.refusals import refusal

# More digits are outside of every bound, and cost time to read.
_WHOLE: Final = re.compile(r"-?[0-9]{1,40}")
_TRUTHS: Final = {"true": True, "false": False}


def read_path(texts: Mapping[str, str], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters in the path, by name.

    Raises:
        BadRequest: one is of another type.
    """
    found: dict[str, Any] = {}
    for name, kind in wanted.items():
        value = _value(texts[name], kind)
        try:
            found[name] = msgspec.convert(value, kind)
        except msgspec.ValidationError:
            misfit = find_misfit(value, kind)
            raise refusal(msgspec.structs.replace(misfit, path=name), "parameter") from None
    return found


def read_query(query: MultiMapping[str], kind: type) -> Any:
    """Return the parameters of a query as a struct.

    Raises:
        BadRequest: one is unknown, missing, of another type, or given twice; it is named.
    """
    fields = _field_types(kind)
    values: dict[str, object] = {}
    for name in query:
        texts = query.getall(name)
        wanted = fields.get(name, str)
        if _is_list(wanted):
            (item,) = get_args(_plain(wanted))
            values[name] = [_value(text, item) for text in texts]
        elif len(texts) > 1:
            raise refusal(Misfit(name, "repeated"), "parameter")
        else:
            values[name] = _value(texts[0], wanted)
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError:
        raise refusal(find_misfit(values, kind), "parameter") from None


def refuse_query(query: MultiMapping[str]) -> None:
    """Refuse parameters at an address that takes none.

    Raises:
        BadRequest: there is one; it is named.
    """
    for name in query:
        raise BadRequest(f"There is no parameter {name}: this address takes none.", field=name)


@cache
def _field_types(kind: type) -> dict[str, Any]:
    return {field.encode_name: field.type for field in msgspec.structs.fields(kind)}


def _value(text: str, kind: Any) -> object:
    """Return the value of a text, or the text itself if it is of another type than wanted."""
    plain = _plain(kind)
    if plain is int and _WHOLE.fullmatch(text):
        return int(text)
    if plain is bool:
        return _TRUTHS.get(text, text)
    return text


def _is_list(kind: Any) -> bool:
    return get_origin(_plain(kind)) is list


def _plain(kind: Any) -> Any:
    """Return a type without its bounds, and without None."""
    if get_origin(kind) is Annotated:
        return _plain(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        members = [member for member in get_args(kind) if member is not type(None)]
        return _plain(members[0]) if len(members) == 1 else Literal
    return kind
