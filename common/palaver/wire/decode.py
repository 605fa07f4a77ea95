"""Reading what a daemon sent, also one that is newer than this program.

What is understood is decoded straight into its types, a whole frame at once. Only when that
fails is the data gone through piece by piece: what has a default falls back to it, an item of a
list that makes no sense here is left out, and everything else stays. The caller is told what was
left out, so that nothing disappears unseen.
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

# Words that must be there, and what stands for one that a newer daemon made up.
STAND_INS: Final[dict[tuple[type, str], str]] = {(ChatError, "kind"): "generic"}


class MalformedError(ValueError):
    """Bytes that no version of the protocol allows: no JSON, or not what was asked for."""


class Decoded(NamedTuple, Generic[T]):
    """A value, and where in the data something was not understood (JSON paths)."""

    value: T
    skipped: tuple[str, ...]


def stream_frame(data: bytes | str) -> Decoded[list[StreamEvent | Heartbeat]]:
    """Decode a frame of `WS /chats/{id}/stream`; raises `MalformedError`."""
    return _decoded(data, _STREAM, list[StreamEvent | Heartbeat])


def watch_frame(data: bytes | str) -> Decoded[list[WatchEvent | Heartbeat]]:
    """Decode a frame of `WS /watch`; raises `MalformedError`."""
    return _decoded(data, _WATCH, list[WatchEvent | Heartbeat])


def answer(data: bytes, type_: type[T]) -> Decoded[T]:
    """Decode the body of an answer; raises `MalformedError` when too much is missing."""
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
    # Imported here: few programs ever meet a newer daemon.
    from msgspec import inspect

    return inspect.type_info(type_)


_NOT_UNDERSTOOD: Final = object()


def _mend(value: Any, info: inspect.Type, path: str, skipped: list[str]) -> Any:
    """Return `value` without what `info` does not know, or `_NOT_UNDERSTOOD`."""
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
        # Several members: structs that are told apart by their tag.
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
    if hasattr(info.cls, "__post_init__"):  # it has bounds of its own
        try:
            msgspec.convert(result, info.cls)
        except msgspec.ValidationError:
            skipped.append(path)
            return _NOT_UNDERSTOOD
    return result


def _python_type(info: inspect.Type) -> Any:
    """Return the type that a leaf of our wire types was made from."""
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
