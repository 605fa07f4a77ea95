"""Markdown of a chat: its structure is the daemon's, whatever stands in the messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from palaver.wire.exports import ExportedChat, ExportedMessage
from palaver.wire.messages import Boundary, Message, Reasoning, Text, ToolCall, ToolResult
from palaverd.exporting.markdown import MarkdownDocument
from support.conversations import CONVERSATIONS, HOSTILE, TEXTS

WHEN = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
_FIELDS = ("role", "parts", "created_at", "visibility", "model", "finish", "usage")


def stored(message: ExportedMessage) -> Message:
    fields = {name: getattr(message, name) for name in _FIELDS}
    return Message(id=1, revision=1, **fields)


def markdown(chat: ExportedChat, messages: Sequence[ExportedMessage]) -> str:
    document = MarkdownDocument()
    pieces = [document.begin(chat, WHEN), *(document.message(stored(one)) for one in messages)]
    return b"".join([*pieces, document.end()]).decode()


def top_level(text: str) -> list[Token]:
    """Return the blocks of a document that stand in no other."""
    tokens = MarkdownIt("commonmark").parse(text)
    return [token for token in tokens if token.level == 0 and token.nesting >= 0]


def headings(text: str) -> list[str]:
    """Return the headings that stand in no other block, as text without formatting."""
    tokens = MarkdownIt("commonmark").parse(text)
    return [
        "".join(child.content for child in after.children or ())
        for token, after in pairwise(tokens)
        if token.type == "heading_open" and token.level == 0
    ]


def said(*texts: str) -> list[ExportedMessage]:
    return [ExportedMessage("user", [Text(text)], WHEN) for text in texts]


@given(TEXTS, CONVERSATIONS, st.none() | TEXTS)
@example("t", said(*HOSTILE), None)
@example("# *t* [x](y) `z", said("x"), "```")
def test_no_text_changes_the_structure(
    title: str, messages: list[ExportedMessage], system_prompt: str | None
) -> None:
    chat = ExportedChat(title, WHEN, model="m`", system_prompt=system_prompt, labels={"a": "#b"})
    text = markdown(chat, messages)
    found = top_level(text)
    kinds = {"heading_open", "paragraph_open", "blockquote_open", "fence", "inline"}
    assert {token.type for token in found} <= kinds
    assert len(headings(text)) == 1 + bool(system_prompt) + len(messages)
    # Every part is a block of its own, in order: nothing ran into what follows it.
    quotes = sum(token.type == "blockquote_open" for token in found)
    parts = [part for message in messages for part in message.parts]
    texts = [one for one in parts if isinstance(one, Text | Reasoning)]
    summaries = [one for one in parts if isinstance(one, Boundary) and one.text]
    assert quotes == bool(system_prompt) + len(texts) + len(summaries)
    fences = [token.content for token in found if token.type == "fence"]
    assert len(fences) == sum(isinstance(part, ToolCall | ToolResult) for part in parts)
    for code in text:
        assert code in "\n\t" or code.isprintable() or ord(code) > 0x9F


def test_labels_are_named_in_one_line_with_the_values_that_they_have() -> None:
    chat = ExportedChat("t", WHEN, labels={"urgent": "", "team": "docs"})
    assert "\nLabels: team=docs, urgent.\n" in markdown(chat, [])


@given(TEXTS)
def test_what_a_fence_holds_is_what_was_said(arguments: str) -> None:
    call = ExportedMessage("assistant", [ToolCall("c", "n", arguments)], WHEN)
    [fence] = [one for one in top_level(markdown(_chat(), [call])) if one.type == "fence"]
    shown = arguments.replace("\r\n", "\n").replace("\r", "\n")
    if shown.isprintable() or shown.replace("\n", "").isprintable():
        assert fence.content == shown + "\n"


def test_a_title_is_shown_as_it_was_written() -> None:
    title = "A *title* with # [links](x) & `code` <b> 1. ~~2~~ _"
    assert headings(markdown(_chat(title), []))[0] == title


def test_it_reads_well() -> None:
    messages = [
        ExportedMessage("user", [Text("Why?\n\n- because")], WHEN),
        ExportedMessage(
            "assistant",
            [Text("```py\nx = 1\n```"), ToolCall("c", "read_file", '{"path": "a"}')],
            WHEN,
            model="sonnet",
            finish="interrupted",
        ),
        ExportedMessage("tool", [ToolResult("c", "no such file", is_error=True)], WHEN),
    ]
    assert markdown(_chat("The relay"), messages) == (
        "# The relay\n\n"
        "Begun 2030-01-02 03:04 UTC, exported 2030-01-02 03:04 UTC.\n\n"
        "## You · 2030-01-02 03:04 UTC\n\n"
        "> Why?\n>\n> - because\n\n"
        "## Assistant (sonnet) · 2030-01-02 03:04 UTC\n\n"
        "> ```py\n> x = 1\n> ```\n\n"
        "**Call of `read_file`**\n\n"
        '```\n{"path": "a"}\n```\n\n'
        "*Interrupted.*\n\n"
        "## Tools · 2030-01-02 03:04 UTC\n\n"
        "**Failed**\n\n"
        "```\nno such file\n```\n"
    )


def _chat(title: str = "t") -> ExportedChat:
    return ExportedChat(title, WHEN)
