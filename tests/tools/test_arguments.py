"""What a model is told of a tool, and of arguments that do not fit."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaverd.tools.built_in import BUILT_IN
from palaverd.tools.failures import Misused
from palaverd.tools.files.edit_files import EDIT_FILES
from palaverd.tools.files.read_file import READ_FILE, ReadFile
from palaverd.tools.tool import Tool


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("", "read_file needs the argument path."),
        ("{}", "read_file needs the argument path."),
        ('{"path": 1}', "The argument path of read_file must be a text."),
        (
            '{"path": "a", "limt": 3}',
            "read_file has no argument limt; it has path, offset, limit.",
        ),
        (
            '{"path": "a", "limit": 0}',
            "The argument limit of read_file must be a whole number between 1 and 2000.",
        ),
        ("[]", "The arguments of read_file must be a JSON object."),
        ("[", "The arguments of read_file are not JSON: Input data was truncated."),
    ],
)
def test_arguments_that_do_not_fit_are_named(arguments: str, said: str) -> None:
    with pytest.raises(Misused) as refused:
        READ_FILE.read(arguments)
    assert str(refused.value) == said


def test_arguments_that_fit_are_read() -> None:
    assert READ_FILE.read(' {"path": "a", "offset": 3} ') == ReadFile("a", 3)


@given(st.sampled_from(BUILT_IN), st.text() | st.recursive(st.text(), st.lists).map(repr))
def test_no_arguments_raise_anything_else(tool: Tool, arguments: str) -> None:
    with suppress(Misused):
        tool.read(arguments)


@pytest.mark.parametrize("tool", BUILT_IN, ids=lambda tool: tool.name)
def test_a_schema_is_an_object_without_references(tool: Tool) -> None:
    assert tool.told().parameters["type"] == "object"
    assert "$ref" not in repr(tool.told().parameters)
    assert tool.told().description


def test_an_empty_list_where_one_is_needed_is_named() -> None:
    with pytest.raises(Misused) as refused:
        EDIT_FILES.read('{"edits": []}')
    assert str(refused.value) == (
        "The argument edits of edit_files must be a list of at least 1 entries."
    )
