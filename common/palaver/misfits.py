"""Find where plain data (JSON or TOML) does not fit a type, and why, for error messages.

msgspec decides whether data fits. Its error message is for programmers and not a stable interface,
so refused data is walked along the type, and the first misfit is returned as a value.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

if TYPE_CHECKING:
    from msgspec import inspect

# Characters; a longer text is not repeated in a message.
_LONGEST: Final = 60


class Misfit(msgspec.Struct, frozen=True):
    """The first place where data does not fit.

    `path` is like `models.sonnet.model` or `answers[0].text`, empty for the data as a whole.
    `wanted` describes what a wrong value must be, as `a whole number of at least 0`. `allowed` are
    the known names for an unknown one, or the allowed values for a wrong one. A name is repeated if
    an object of a JSON text has it more than once. Data is refused if its fields fit, but not
    together: `value` describes it then, as `a picture of 0 by 3 pixels`.
    """

    path: str
    problem: Literal["unknown", "missing", "wrong", "repeated", "refused"]
    value: object = None
    wanted: str = ""
    allowed: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The last name of the path."""
        return self.path.rpartition(".")[2]


def find_misfit(value: object, type_: Any) -> Misfit:
    """Return the first misfit of `value`, which msgspec refused for `type_`."""
    return _first_misfit(value, type_) or Misfit("", "wrong", value, "of another form")


def find_json_misfit(text: bytes, type_: Any) -> Misfit:
    """Return the first misfit of a JSON text, which msgspec refused for `type_`.

    Raises:
        msgspec.DecodeError, UnicodeDecodeError: it is not JSON. msgspec stops at a misfit, and does
            not see what follows.
        RecursionError: it is nested too deeply.
    """
    value = msgspec.json.decode(text)
    # Of a repeated name msgspec checks every value, but a dict has only the last.
    return (
        _first_misfit(value, type_)
        or _first_misfit(json.loads(text, object_pairs_hook=_mark_repeated), type_)
        or Misfit("", "wrong", value, "of another form")
    )


def shown(value: object) -> str:
    """Return a value for a message: small ones as JSON, large ones by their kind."""
    match value:
        case None:
            return "null"
        case str() if len(value) > _LONGEST:
            return f"a text of {len(value)} characters"
        case list():
            return "a list"
        case dict():
            return "a table"
        case str() | bool() | int() | float():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return str(value)


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean ...?" with the known name nearest to `name`, "" if none is near."""
    # Imported here: only a mistake needs it.
    from difflib import get_close_matches

    near = get_close_matches(name, list(known), n=1)
    return f" Did you mean {near[0]}?" if near else ""


def in_bounds(
    what: str,
    *,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
) -> str:
    """Return `what` with its bounds, as `a whole number between 0 and 9`."""
    if ge is not None and le is not None:
        return f"{what} between {ge} and {le}"
    words = {"of at least": ge, "above": gt, "of at most": le, "below": lt}
    bounds = [f"{how} {bound}" for how, bound in words.items() if bound is not None]
    return " ".join([what, " and ".join(bounds)]).strip()


_REPEATED: Final = object()


def _mark_repeated(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return an object of a JSON text, with `_REPEATED` as the value of each repeated name."""
    marked: dict[str, object] = {}
    for name, value in pairs:
        marked[name] = _REPEATED if name in marked else value
    return marked


def _first_misfit(value: Any, type_: Any) -> Misfit | None:
    # Imported here: it is needed after a mistake only.
    from msgspec import inspect

    return _walk(value, inspect.type_info(type_), "")


def _walk(value: Any, info: inspect.Type, path: str) -> Misfit | None:
    from msgspec import inspect

    if value is _REPEATED:
        return Misfit(path, "repeated")
    match info:
        case inspect.Metadata(type=inner):
            return _walk(value, inner, path)
        case inspect.UnionType(types=members):
            return _walk_union(value, members, path)
        case inspect.StructType():
            return _walk_struct(value, info, path)
        case inspect.ListType(item_type=item):
            if not isinstance(value, list):
                return Misfit(path, "wrong", value, "a list")
            if not _has_length(value, info):
                return Misfit(path, "wrong", value, _with_length("a list", info, "entries"))
            return _first(_walk(one, item, f"{path}[{n}]") for n, one in enumerate(value))
        case inspect.DictType(value_type=item):
            if not isinstance(value, dict):
                return Misfit(path, "wrong", value, "a table")
            return _first(_walk(one, item, _join(path, key)) for key, one in value.items())
        case _:
            return _walk_leaf(value, info, path)


def _walk_union(value: Any, members: Iterable[inspect.Type], path: str) -> Misfit | None:
    from msgspec import inspect

    some = [member for member in members if not isinstance(member, inspect.NoneType)]
    if value is None and len(some) < len(tuple(members)):
        return None
    structs = [member for member in some if isinstance(member, inspect.StructType)]
    if len(structs) == len(some) > 1:
        return _walk_tagged(value, structs, path)
    misfits = [_walk(value, member, path) for member in some]
    if None in misfits:
        return None
    found = [misfit for misfit in misfits if misfit is not None]
    if len(found) == 1:
        return found[0]
    return Misfit(path, "wrong", value, " or ".join(misfit.wanted for misfit in found))


def _walk_tagged(value: Any, members: list[inspect.StructType], path: str) -> Misfit | None:
    """Return the misfit of a value that is one of several structs, told apart by a tag."""
    if not isinstance(value, dict):
        return Misfit(path, "wrong", value, "a table")
    field = members[0].tag_field
    assert field is not None  # msgspec refuses such a type
    by_tag = {str(member.tag): member for member in members}
    if field not in value:
        return Misfit(_join(path, field), "missing", allowed=tuple(by_tag))
    tag = value[field]
    if not isinstance(tag, str) or tag not in by_tag:
        wanted = f"one of {', '.join(by_tag)}"
        return Misfit(_join(path, field), "wrong", tag, wanted, tuple(by_tag))
    return _walk_struct(value, by_tag[tag], path)


def _walk_struct(value: Any, info: inspect.StructType, path: str) -> Misfit | None:
    if not isinstance(value, dict):
        return Misfit(path, "wrong", value, "a table")
    fields = {field.encode_name: field for field in info.fields}
    for key, one in value.items():
        place = _join(path, key)
        if key in fields:
            if misfit := _walk(one, fields[key].type, place):
                return misfit
        elif info.forbid_unknown_fields and key != info.tag_field:
            return Misfit(place, "unknown", one, allowed=tuple(fields))
    for name, field in fields.items():
        if field.required and name not in value:
            return Misfit(_join(path, name), "missing", allowed=tuple(fields))
    return _refused_by_itself(value, info.cls, path)


def _refused_by_itself(value: Any, cls: type, path: str) -> Misfit | None:
    """Return the misfit of a struct whose fields fit, and that refuses them together."""
    if hasattr(cls, "__post_init__"):
        try:
            msgspec.convert(value, cls)
        except msgspec.ValidationError as error:
            if isinstance(error.__cause__, ValueError):
                return Misfit(path, "refused", str(error.__cause__))
    return None


def _walk_leaf(value: Any, info: inspect.Type, path: str) -> Misfit | None:
    from msgspec import inspect

    if isinstance(info, inspect.LiteralType):
        if value in info.values:
            return None
        allowed = tuple(str(one) for one in info.values)
        return Misfit(path, "wrong", value, f"one of {', '.join(allowed)}", allowed)
    try:
        msgspec.convert(value, _type_of(info))
    except msgspec.ValidationError:
        return Misfit(path, "wrong", value, _wanted(info))
    return None


# The words for a leaf, and the type that msgspec checks it with.
_LEAVES: Final[dict[str, tuple[str, type]]] = {
    "IntType": ("a whole number", int),
    "FloatType": ("a number", float),
    "BoolType": ("true or false", bool),
    "StrType": ("a text", str),
    "BytesType": ("a text in base64", bytes),
}
_BOUNDS: Final = ("ge", "gt", "le", "lt")
_LENGTHS: Final = ("min_length", "max_length")
_TEXTS: Final = (*_LENGTHS, "pattern")


def _type_of(info: inspect.Type) -> Any:
    """Return the type of a leaf with its bounds, for `msgspec.convert`."""
    from datetime import datetime

    from msgspec import inspect

    kind = type(info).__name__
    if isinstance(info, inspect.DateTimeType):
        return datetime if info.tz is None else Annotated[datetime, Meta(tz=info.tz)]
    if kind not in _LEAVES:
        return Any
    bounds = _limits_of(info, _BOUNDS + _TEXTS)
    return Annotated[_LEAVES[kind][1], Meta(**bounds)] if bounds else _LEAVES[kind][1]


def _limits_of(info: inspect.Type, names: Iterable[str]) -> dict[str, Any]:
    """Return which of the limits it has, by their names in msgspec."""
    return {name: limit for name in names if (limit := getattr(info, name, None)) is not None}


def _wanted(info: inspect.Type) -> str:
    from msgspec import inspect

    kind = type(info).__name__
    if isinstance(info, inspect.DateTimeType):
        zone = " with its zone," if info.tz else ""
        return f"a time{zone} as in 2030-01-01T09:00:00Z"
    what = _LEAVES[kind][0]
    if (pattern := getattr(info, "pattern", None)) is not None:
        return f"{what} that matches {pattern}"
    if _limits_of(info, _LENGTHS):
        return _with_length(what, info, "characters")
    return in_bounds(what, **_limits_of(info, _BOUNDS))


def _has_length(value: list[Any], info: inspect.Type) -> bool:
    lengths = _limits_of(info, _LENGTHS)
    low, high = (lengths.get(name) for name in _LENGTHS)
    return (low is None or len(value) >= low) and (high is None or len(value) <= high)


def _with_length(what: str, info: inspect.Type, of: str) -> str:
    low, high = (_limits_of(info, _LENGTHS).get(name) for name in _LENGTHS)
    return f"{in_bounds(what, ge=low, le=high)} {of}"


def _first(misfits: Iterator[Misfit | None]) -> Misfit | None:
    return next((misfit for misfit in misfits if misfit is not None), None)


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)
