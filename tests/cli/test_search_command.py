"""`palaver search` prints chat, place and text, with colour on a terminal alone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cli.test_commands_with_daemon import Shell, palaver
from palaver.cli.search import text
from palaver.wire import protocol
from palaver.wire.chats import Chat, Versions
from palaver.wire.search import Hit, Span
from support.daemon import running_pair

__all__ = ["palaver"]  # a fixture

pytestmark = pytest.mark.process
AT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
CHAT = Chat("abc", "A \x1b[2Jtitle", "waiting", AT, AT, Versions(1, 1, 1, 1, 1), archived=True)
SPANS = [Span("the "), Span("re\x1blay", match=True), Span(" hangs")]


def test_a_hit_controls_no_terminal_and_marks_what_was_found() -> None:
    hit = Hit(CHAT, SPANS, message_id=7, role="user", created_at=AT)
    plain = text(hit, colour=False)
    assert "\x1b" not in plain
    assert plain.endswith("#7  A ␛[2Jtitle  (archived)\n    the re␛lay hangs\n")
    assert text(hit, colour=True).endswith("    the \x1b[33m\x1b[1mre␛lay\x1b[0m hangs\n")
    assert text(Hit(CHAT, SPANS), colour=False).startswith("abc  title  A")


async def test_messages_and_titles_are_found_from_the_shell(palaver: Shell) -> None:
    relay = (await palaver.lines("run", "[[length=3]] the relay path"))[-1]["chat_id"]
    other = (await palaver.lines("run", "[[length=3]] the relay python"))[-1]["chat_id"]
    hits = await palaver.lines("search", "RELAY", "-python")
    assert {hit["chat"]["id"] for hit in hits} == {relay}
    assert {hit.get("message_id") is None for hit in hits} == {True, False}
    assert {"text": "relay", "match": True} in hits[0]["snippet"]
    assert len(await palaver.lines("search", "relay", "--all")) == 4
    assert len(await palaver.lines("search", "relay", "--limit", "3")) == 3
    within = await palaver.lines("search", "relay", "--chat", other[:6])
    assert {hit["chat"]["id"] for hit in within} == {other}
    assert await palaver.lines("search", "relay", "--archived") == []
    shown = await palaver("search", "relay", "-path")
    assert "the relay python" in shown.out
    assert "\x1b" not in shown.out
    assert "Nothing was found" in (await palaver("search", "nothingatall")).err
    assert "only words to exclude" in (await palaver("search", "-path", code=1)).err


async def test_what_was_found_has_colour_in_a_terminal(palaver: Shell) -> None:
    await palaver("run", "[[length=3]] the relay")
    shown = await palaver.at_a_terminal("search", "relay")
    assert "the \x1b[33m\x1b[1mrelay\x1b[0m" in shown


async def test_a_daemon_that_cannot_search_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    older = tuple(name for name in protocol.CAPABILITIES if name != protocol.SEARCH)
    monkeypatch.setattr(protocol, "CAPABILITIES", older)
    async with running_pair() as (_, client, _):
        ended = await Shell(client)("search", "relay", code=1)
        assert "cannot search messages. Upgrade it where it runs" in ended.err
