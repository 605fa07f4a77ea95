"""A misfit is named with its place and what its value must be, in the project's own words."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

import palaver.wire
from palaver.misfits import Misfit, find_json_misfit, find_misfit, shown
from palaver.remote.servers import Entry
from palaverd.config.types import Config
from support.examples import examples


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    word: Literal["a", "b"]
    many: list[Annotated[int, Meta(ge=0, le=9)]] = []


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    inner: Inner
    by_name: dict[str, Inner] = {}
    text: str | None = None
    size: Annotated[float, Meta(gt=0)] = 1.0
    yes: bool = False
    when: datetime | None = None
    either: str | list[str] | None = None


GOOD: dict[str, Any] = {"inner": {"word": "a"}}
ENDS = [
    (7, Misfit("", "wrong", 7, "a table")),
    ({}, Misfit("inner", "missing", allowed=tuple(Outer.__struct_fields__))),
    ({"inner": {}}, Misfit("inner.word", "missing", allowed=("word", "many"))),
    ({"inner": {"word": "c"}}, Misfit("inner.word", "wrong", "c", "one of a, b", ("a", "b"))),
    ({"inner": {"wrod": "a"}}, Misfit("inner.wrod", "unknown", "a", allowed=("word", "many"))),
    (GOOD | {"txt": 1}, Misfit("txt", "unknown", 1, allowed=tuple(Outer.__struct_fields__))),
    (GOOD | {"text": 1}, Misfit("text", "wrong", 1, "a text")),
    (GOOD | {"yes": 1}, Misfit("yes", "wrong", 1, "true or false")),
    (GOOD | {"size": 0}, Misfit("size", "wrong", 0, "a number above 0")),
    (GOOD | {"when": "x"}, Misfit("when", "wrong", "x", "a time as in 2030-01-01T09:00:00Z")),
    (GOOD | {"either": 1}, Misfit("either", "wrong", 1, "a text or a list")),
    (
        GOOD | {"by_name": {"x": {"word": "a", "many": [1, 10]}}},
        Misfit("by_name.x.many[1]", "wrong", 10, "a whole number between 0 and 9"),
    ),
]


@pytest.mark.parametrize(("value", "misfit"), ENDS)
def test_the_first_misfit_is_found_with_its_place(value: object, misfit: Misfit) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(value, Outer)
    assert find_misfit(value, Outer) == misfit


REPEATED = [
    ('{"inner": 7, "inner": {"word": "a"}}', "inner"),
    ('{"inner": {"word": "a", "word": 7, "word": "b"}}', "inner.word"),
    ('{"inner": {"word": "a"}, "by_name": {"x": 1, "x": {"word": "a"}}}', "by_name.x"),
]


@pytest.mark.parametrize(("text", "path"), REPEATED)
def test_a_repeated_name_is_found_if_its_last_value_fits(text: str, path: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=Outer)
    assert find_json_misfit(text.encode(), Outer) == Misfit(path, "repeated")


def test_what_is_wrong_itself_is_found_before_a_repeated_name() -> None:
    text = b'{"yes": true, "yes": false, "inner": {"word": "c"}}'
    assert find_json_misfit(text, Outer).path == "inner.word"


def test_a_value_stands_in_a_sentence_as_it_was_written_and_a_long_one_does_not() -> None:
    values = [None, True, 7, 0.5, 'a "word"', "x" * 61, [1], {"a": 1}]
    said = ["null", "true", "7", "0.5", '"a \\"word\\""', "a text of 61 characters", "a list"]
    assert [shown(value) for value in values] == [*said, "a table"]


def requests() -> list[type[msgspec.Struct]]:
    """Every type that refuses unknown fields: all requests and configuration files."""
    modules = [
        importlib.import_module(f"palaver.wire.{found.name}")
        for found in pkgutil.iter_modules(palaver.wire.__path__)
    ]
    types = {
        type_
        for module in modules
        for _, type_ in inspect.getmembers(module, inspect.isclass)
        if issubclass(type_, msgspec.Struct) and type_.__struct_config__.forbid_unknown_fields
    }
    return [*sorted(types, key=lambda type_: type_.__name__), Config, Entry]


LEAVES = (
    st.none() | st.booleans() | st.integers(-2, 9) | st.floats(-2, 9) | st.text("ab", max_size=2)
)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=2), max_leaves=3)


def values_of(type_: Any) -> st.SearchStrategy[Any]:
    """Values that are nearly of a type: with its fields and others, right and wrong."""
    info = msgspec.inspect.type_info(type_)
    return _like(info)


def _like(info: msgspec.inspect.Type) -> st.SearchStrategy[Any]:
    match info:
        case msgspec.inspect.Metadata(type=inner):
            return _like(inner)
        case msgspec.inspect.UnionType(types=members):
            return st.one_of(*(_like(member) for member in members))
        case msgspec.inspect.StructType(fields=fields):
            known = {
                field.encode_name: st.one_of(_like(field.type), _like(field.type), VALUES)
                for field in fields
            }
            needed = {field.encode_name for field in fields if field.required}
            whole = st.fixed_dictionaries(
                {name: known[name] for name in needed},
                optional={name: known[name] for name in known.keys() - needed}
                | {"no_such": VALUES},
            )
            return whole | st.dictionaries(st.sampled_from(sorted(known)), VALUES, max_size=2)
        case msgspec.inspect.ListType(item_type=item):
            return st.lists(_like(item), max_size=3)
        case msgspec.inspect.DictType(value_type=item):
            return st.dictionaries(st.text("ab", min_size=1, max_size=2), _like(item), max_size=2)
        case msgspec.inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case msgspec.inspect.StrType():
            return st.text("ab", max_size=3)
        case _:
            return VALUES


@pytest.mark.parametrize("type_", requests(), ids=lambda type_: type_.__name__)
@examples(60)
@given(data=st.data())
def test_what_msgspec_refuses_has_a_misfit_at_its_place_and_what_it_takes_has_none(
    type_: Any, data: st.DataObject
) -> None:
    value = data.draw(values_of(type_))
    misfit = find_misfit(value, type_)
    assert (misfit.wanted == "of another form") is fits(value, type_), misfit
    assert misfit.problem == "wrong" or misfit.allowed


def fits(value: object, type_: Any) -> bool:
    try:
        msgspec.convert(value, type_)
    except msgspec.ValidationError:
        return False
    return True
