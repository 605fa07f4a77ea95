"""What was exported and imported is exported again the same."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporting.test_markdown import stored
from palaver.wire.exports import ExportedChat, ExportedMessage, ImportChat
from palaver.wire.messages import Text, ToolCall
from palaverd.api.imports import read_import
from palaverd.api.limits import BODY_LIMIT
from palaverd.api.problems import BadRequest, problem_of
from palaverd.exporting.json_document import JsonDocument
from palaverd.store.check import violations
from palaverd.usecases.context import Context
from palaverd.usecases.errors import InvalidRequest
from palaverd.usecases.exporting import export_chat
from palaverd.usecases.importing import check_import, import_chat
from palaverd.usecases.keyed_requests import Asker
from support.conversations import CONVERSATIONS, MOMENTS, TEXTS
from support.examples import examples
from support.inline import at_once, inline_door
from support.store import OWNER, context_of, dump, memory_store

MOMENT = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
TITLES = TEXTS.map(lambda text: f"t{text}"[:200])
CHATS = st.builds(
    ExportedChat,
    title=TITLES,
    created_at=MOMENTS,
    model=st.none() | TEXTS,
    system_prompt=st.none() | TEXTS,
    labels=st.dictionaries(st.sampled_from(["a", "b/c.d", "_é"]), TEXTS),
)


def document(chat: ExportedChat, messages: list[ExportedMessage]) -> bytes:
    """Return an export that a program wrote, with a layout of its own."""
    parts = {"format": "palaver-chat", "version": 1, "chat": chat, "messages": messages}
    return msgspec.json.format(msgspec.json.encode(parts), indent=2)


def imported(context: Context, text: bytes, folder: Path) -> str:
    file = folder / "import"
    file.write_bytes(text)
    found = read_import(file, "digest")
    check_import(found)
    file.unlink()  # it is read after that all the same
    return at_once(import_chat(context, Asker(OWNER), found)).chat.id


def exported(context: Context, chat_id: str) -> bytes:
    async def collect() -> bytes:
        export = await export_chat(context, chat_id, OWNER, "json")
        return b"".join([piece async for piece in export.pieces])

    return at_once(collect())


def read(text: bytes) -> ImportChat:
    """Return a document as its type, without the time at which it was made."""
    return msgspec.structs.replace(msgspec.json.decode(text, type=ImportChat), exported_at=None)


@given(CHATS, CONVERSATIONS)
@examples(100)
def test_an_import_of_an_export_is_exported_again_the_same(
    chat: ExportedChat, messages: list[ExportedMessage]
) -> None:
    with memory_store() as connection, TemporaryDirectory() as folder:
        context = context_of(inline_door(connection))

        first_id = imported(context, document(chat, messages), Path(folder))
        first = exported(context, first_id)
        second_id = imported(context, first, Path(folder))
        assert second_id != first_id
        assert read(exported(context, second_id)) == read(first)
        # Nothing was lost on the way in, either.
        assert read(first) == read(document(chat, messages))
        for chat_id in (first_id, second_id):
            assert violations(connection, chat_id) == []


GOOD = {
    "format": "palaver-chat",
    "version": 1,
    "chat": {"title": "t", "created_at": "2030-01-01T00:00:00Z"},
    "messages": [
        {
            "role": "user",
            "parts": [{"type": "text", "text": "x"}],
            "created_at": "2030-01-01T00:00:00Z",
        }
    ],
}
PICTURE = {"media_type": "image/png", "width": 0, "height": 1, "data": ""}
CALL = {"type": "tool_call", "id": "c1", "name": "n", "arguments": "{}"}
# What is changed in `GOOD` (a path, and the value put there), the field that is named, and words.
BAD: list[tuple[tuple[str | int, ...], Any, str | None, str]] = [
    (("format",), "other", "format", "palaver-chat"),
    (("version",), 2, "version", "2"),
    (("more",), 1, "more", "There is no field more"),
    (("chat",), 7, "chat", "a table"),
    (("chat", "title"), "", "chat.title", "1 to 200"),
    (("chat", "title"), "x" * 201, "chat.title", "1 to 200"),
    (("chat", "titel"), "x", "chat.titel", "Did you mean title?"),
    (("chat", "created_at"), "2030-01-01T00:00:00", "chat.created_at", "with its zone"),
    (("chat", "created_at"), "0001-01-01T00:00:00+14:00", "chat.created_at", "years 1 to 9999"),
    (("chat", "labels"), {"a": 1}, "chat.labels.a", "a text"),
    (("chat", "labels"), {"a b": ""}, "chat.labels", "A label's name"),
    (("chat", "labels"), {"a": "x" * 10_000}, "chat.labels.a", "at most"),
    (("messages",), {}, "messages", "a list"),
    (("messages", 0), 7, "messages[0]", "a table"),
    (("messages", 0, "role"), "boss", "messages[0].role", "user"),
    (("messages", 0, "id"), 7, "messages[0].id", "There is no field"),
    (("messages", 0, "visibility"), "model", "messages[0].visibility", "both, user"),
    (("messages", 0, "created_at"), 5, "messages[0].created_at", "a time"),
    (
        ("messages", 0, "created_at"),
        "9999-12-31T23:59:59-14:00",
        "messages[0].created_at",
        "years 1 to 9999",
    ),
    (("messages", 0, "cost_micros"), 2**63, "messages[0].cost_micros", "whole number"),
    (("messages", 0, "runtime_ms"), -1, "messages[0].runtime_ms", "whole number"),
    (("messages", 0, "usage"), {"output_tokens": -1}, "messages[0].usage.output_tokens", "whole"),
    (("messages", 0, "finish"), "bored", "messages[0].finish", "stop"),
    (("messages", 0, "parts", 0, "type"), "odd", "messages[0].parts[0].type", "tool_call"),
    (("messages", 0, "parts", 0), {"text": "x"}, "messages[0].parts[0].type", "missing"),
    (("messages", 0, "parts", 0, "txt"), "x", "messages[0].parts[0].txt", "Did you mean text?"),
    (("messages", 0, "parts", 0), CALL, "messages[0].parts[0].type", "tool_call"),
    (
        ("messages", 0),
        GOOD["messages"][0]  # type: ignore[index]
        | {
            "role": "tool",
            "parts": [{"type": "tool_result", "call_id": "c", "text": "", "picture": PICTURE}],
        },
        "messages[0].parts[0].picture",
        "a picture of 0 by 1 pixels",
    ),
]


def changed(path: tuple[str | int, ...], value: Any) -> bytes:
    whole = msgspec.json.decode(msgspec.json.encode(GOOD))
    place = whole
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return msgspec.json.encode(whole)


NOT_JSON: list[tuple[bytes, str | None, str]] = [
    (b"", None, "JSON"),
    (b"[]", None, "The body is a list"),
    (b"# A heading", None, "JSON"),
    (msgspec.json.encode(GOOD)[:-3], None, "JSON"),
    (msgspec.json.encode(GOOD) + b"x", None, "JSON"),
    (msgspec.json.encode(GOOD).replace(b'"x"', b'"\xff"'), None, "JSON"),
    (msgspec.json.encode(GOOD).replace(b'"x"', b'"\\ud800"'), None, "JSON"),
    (b'{"messages":' + b"[" * 100_000, None, "nested"),
    (b'{"format":"palaver-chat"}', "version", "missing"),
]


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [(changed(path, value), field, words) for path, value, field, words in BAD] + NOT_JSON,
)
def test_what_cannot_be_imported_is_named_and_changes_nothing(
    text: bytes, field: str | None, words: str, tmp_path: Path
) -> None:
    with memory_store() as connection:
        context = context_of(inline_door(connection))
        before = dump(connection)
        with pytest.raises((BadRequest, InvalidRequest)) as refused:
            imported(context, text, tmp_path)
        assert dump(connection) == before
        problem = problem_of(refused.value)
        assert problem is not None
        assert (problem.status, problem.field) == (400, field)
        assert words in problem.detail
        assert problem.detail.endswith(".")


def test_a_user_message_after_an_open_call_is_refused_and_one_at_the_end_is_kept(
    tmp_path: Path,
) -> None:
    call = ExportedMessage("assistant", [ToolCall("c1", "n", "{}")], MOMENT)
    question = ExportedMessage("user", [Text("x")], MOMENT)
    chat = ExportedChat("t", MOMENT)
    with memory_store() as connection:
        context = context_of(inline_door(connection))
        with pytest.raises(InvalidRequest) as refused:
            imported(context, document(chat, [call, question]), tmp_path)
        assert refused.value.field == "messages[1].role"
        chat_id = imported(context, document(chat, [question, call]), tmp_path)
        again = read(exported(context, chat_id))
        assert again == read(document(chat, [question, call]))
        assert violations(connection, chat_id) == []


def test_a_large_document_is_refused_with_its_field_too(tmp_path: Path) -> None:
    """Looking for what is wrong in it would take many times its memory."""
    long = {"type": "text", "text": "x" * BODY_LIMIT, "txt": 1}
    with memory_store() as connection:
        context = context_of(inline_door(connection))
        for path, value, field in [
            (("messages", 0, "parts", 0), long, "messages[0]"),
            (("messages",), [7] * BODY_LIMIT, None),
            (("chat", "model"), ["x" * BODY_LIMIT], "chat"),
        ]:
            with pytest.raises(BadRequest) as refused:
                imported(context, changed(path, value), tmp_path)
            assert refused.value.problem.field == field
            assert "does not fit" in refused.value.problem.detail


def test_more_messages_than_the_limit_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("palaverd.api.imports.IMPORT_MESSAGES", 2)
    message = ExportedMessage("user", [Text("x")], MOMENT)
    with memory_store() as connection:
        context = context_of(inline_door(connection))
        imported(context, document(ExportedChat("t", MOMENT), [message] * 2), tmp_path)
        text = document(ExportedChat("t", MOMENT), [message] * 3)
        with pytest.raises(BadRequest) as refused:
            imported(context, text, tmp_path)
        assert refused.value.problem.field == "messages"


def test_the_document_has_a_message_on_each_line() -> None:
    lines = JsonDocument()
    message = stored(ExportedMessage("user", [Text("one\ntwo")], MOMENT))
    text = lines.begin(ExportedChat("t", MOMENT), MOMENT)
    text += lines.message(message) + lines.message(message) + lines.end()
    assert len(text.decode().splitlines()) == 4
