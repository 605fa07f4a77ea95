"""Decode responses and frames, including those of a newer daemon.

Data is decoded directly into its types, a whole frame at once. Only if that fails, it is examined
field by field: an unknown value of an optional field becomes the default, an unknown item of a
list is dropped, and everything else is kept. The caller gets the paths of what was dropped.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar, cast

import msgspec

from palaver.wire.errors import ChatError
from palaver.wire.events import Heartbeat, StreamEvent, WatchEvent

if TYPE_CHECKING:
    from msgspec import inspect

T = TypeVar("T")

# Replacements for unknown values of required fields.
STAND_INS: Final[dict[tuple[type, str], str]] = {(ChatError, "kind"): "generic"}


class MalformedError(ValueError):
    """The data is not JSON, or of another type than expected, in any version of the protocol."""


class Decoded(NamedTuple, Generic[T]):
    """A value, and the JSON paths that were not understood."""

    value: T
    skipped: tuple[str, ...]


def stream_frame(data: bytes | str) -> Decoded[list[StreamEvent | Heartbeat]]:
    """Decode a frame of `WS /chats/{id}/stream`. Raises `MalformedError`."""
    return _decoded(data, _STREAM, list[StreamEvent | Heartbeat])


def watch_frame(data: bytes | str) -> Decoded[list[WatchEvent | Heartbeat]]:
    """Decode a frame of `WS /watch`. Raises `MalformedError`."""
    return _decoded(data, _WATCH, list[WatchEvent | Heartbeat])


def answer(data: bytes, type_: type[T]) -> Decoded[T]:
    """Decode the body of a response. Raises `MalformedError` if required fields are missing."""
    return _decoded(data, msgspec.json.Decoder(type_), type_)


_STREAM: Final = msgspec.json.Decoder(list[StreamEvent | Heartbeat])
_WATCH: Final = msgspec.json.Decoder(list[WatchEvent | Heartbeat])


def _decoded(data: bytes | str, decoder: msgspec.json.Decoder[T], type_: type[T]) -> Decoded[T]:
    try:
        try:
            return Decoded(decoder.decode(data), ())
        except msgspec.ValidationError:
            return _mended(data, type_)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedError(str(error)) from error


def _mended(data: bytes | str, type_: type[T]) -> Decoded[T]:
    skipped: list[str] = []
    value = _mend(msgspec.json.decode(data), _type_info(cast("Hashable", type_)), "$", skipped)
    if value is _NOT_UNDERSTOOD:
        raise MalformedError(f"expected {getattr(type_, '__name__', type_)}")
    return Decoded(msgspec.convert(value, type_), tuple(skipped))


@cache
def _type_info(type_: Hashable) -> inspect.Type:
    # Imported here: few programs ever talk to a newer daemon.
    from msgspec import inspect

    return inspect.type_info(type_)


_NOT_UNDERSTOOD: Final = object()


def _mend(value: Any, info: inspect.Type, path: str, skipped: list[str]) -> Any:
    """Return `value` without what `info` does not allow, or `_NOT_UNDERSTOOD`."""
    from msgspec import inspect

    match info:
        case inspect.UnionType():
            return _mend_union(value, info, path, skipped)
        case inspect.StructType():
            return _mend_struct(value, info, path, skipped)
        case inspect.ListType():
            return _mend_list(value, info, path, skipped)
        case _:
            return _mend_leaf(value, info, path, skipped)


def _mend_leaf(value: Any, info: inspect.Type, path: str, skipped: list[str]) -> Any:
    try:
        msgspec.convert(value, _python_type(info))
    except msgspec.ValidationError:
        skipped.append(path)
        return _NOT_UNDERSTOOD
    return value


def _mend_list(value: Any, info: inspect.ListType, path: str, skipped: list[str]) -> Any:
    if not isinstance(value, list):
        skipped.append(path)
        return _NOT_UNDERSTOOD
    items = (
        _mend(item, info.item_type, f"{path}[{index}]", skipped) for index, item in enumerate(value)
    )
    return [item for item in items if item is not _NOT_UNDERSTOOD]


def _mend_union(value: Any, info: inspect.UnionType, path: str, skipped: list[str]) -> Any:
    from msgspec import inspect

    nullable = any(isinstance(member, inspect.NoneType) for member in info.types)
    if value is None and nullable:
        return None
    mended: Any = _NOT_UNDERSTOOD
    members = [member for member in info.types if not isinstance(member, inspect.NoneType)]
    if len(members) == 1:
        mended = _mend(value, members[0], path, skipped)
    else:
        # Several members: structs, distinguished by their tag.
        tag = value.get("type") if isinstance(value, dict) else None
        for member in members:
            if isinstance(member, inspect.StructType) and member.tag == tag:
                mended = _mend(value, member, path, skipped)
                break
        else:
            skipped.append(f"{path}.type={tag}")
    return None if mended is _NOT_UNDERSTOOD and nullable else mended


def _mend_struct(value: Any, info: inspect.StructType, path: str, skipped: list[str]) -> Any:
    if not isinstance(value, dict):
        skipped.append(path)
        return _NOT_UNDERSTOOD
    result = dict(value)
    for field in info.fields:
        if field.encode_name not in value:
            if field.required:
                skipped.append(f"{path}.{field.encode_name}")
                return _NOT_UNDERSTOOD
            continue
        where = f"{path}.{field.encode_name}"
        mended = _mend(value[field.encode_name], field.type, where, skipped)
        if mended is not _NOT_UNDERSTOOD:
            result[field.encode_name] = mended
        elif (info.cls, field.name) in STAND_INS:
            result[field.encode_name] = STAND_INS[info.cls, field.name]
        elif field.required:
            return _NOT_UNDERSTOOD
        else:
            del result[field.encode_name]
    if hasattr(info.cls, "__post_init__"):  # it validates itself
        try:
            msgspec.convert(result, info.cls)
        except msgspec.ValidationError:
            skipped.append(path)
            return _NOT_UNDERSTOOD
    return result


def _python_type(info: inspect.Type) -> Any:
    """Return the type of a leaf of our wire types."""
    from datetime import datetime
    from typing import Literal

    from msgspec import inspect

    match info:
        case inspect.LiteralType(values=values):
            return Literal[tuple(values)]
        case inspect.DateTimeType():
            return datetime
        case inspect.DictType(key_type=key, value_type=item):
            return dict[_python_type(key), _python_type(item)]  # type: ignore[misc]
        case _:
            return _PLAIN[type(info).__name__]


_PLAIN: Final[dict[str, type]] = {
    "IntType": int,
    "FloatType": float,
    "BoolType": bool,
    "StrType": str,
    "BytesType": bytes,
}
