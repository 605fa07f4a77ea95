"""How a tool call is shown: one line, and its unfolded content."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaver.wire.events import ActionRequired, CaughtUp, MessageEvent
from palaver.wire.messages import ToolResult
from palaver_tui.text.diff import changes, diff_lines, hunk_between, hunks_of
from palaver_tui.transcript.calls.arguments import completed, parsed, subject
from palaver_tui.transcript.calls.call import CallBlock, CallState
from palaver_tui.transcript.calls.output import HEAD, Output
from palaver_tui.transcript.folds import FoldKey, Folds
from tui.replay import answer, part, status, user, versions
from tui.screen import client
from tui.sheet import DIFF, call, result, results
from tui.test_client import running

FOLDED = Folds()
OPEN = Folds(frozenset({"call"}))


def drawn(block: CallBlock, width: int = 60) -> list[str]:
    block.layout(width)
    lines = [line.text.rstrip() for line in block.lines]
    return lines if lines[-1] else lines[:-1]


def block_of(
    tool: str,
    found: ToolResult | None = None,
    folds: Folds = FOLDED,
    state: CallState = "open",
    **arguments: Any,
) -> CallBlock:
    block = CallBlock("c1", tool)
    block.show(folds, arguments=json.dumps(arguments), state=state, result=found)
    return block


class TestTheLine:
    def test_it_has_name_subject_status_and_time(self) -> None:
        (line,) = drawn(block_of("execute", result(1, "ok", 3200), command="pytest -k relay"))
        assert line.startswith("▸ execute  pytest -k relay  ")
        assert line.endswith("✓ 3.2 s")

    def test_an_edit_says_how_many_lines_came_and_went(self) -> None:
        edits = [{"path": "a.py", "old_text": "x", "new_text": "y"}]
        (line,) = drawn(block_of("edit_files", result(1, DIFF, 40), edits=edits))
        assert line.startswith("▸ edit_files  a.py")
        assert line.endswith("✓ +2 −1")

    def test_an_error_is_told_without_unfolding(self) -> None:
        lines = drawn(block_of("execute", result(1, "\nno such file\nmore", failed=True)))
        assert lines[0].endswith("✗")
        assert lines[1].strip() == "└ no such file"
        assert len(lines) == 2

    def test_a_call_that_was_not_allowed_says_so(self) -> None:
        found = result(1, "The user did not allow this call.", failed=True)
        assert drawn(block_of("execute", found, command="rm"))[0].endswith("✗ denied")

    @pytest.mark.parametrize(
        ("state", "words"),
        [("writing", "writing"), ("waiting", "waits"), ("running", "running"), ("asks", "? asks")],
    )
    def test_a_call_that_is_not_over_says_what_it_does(self, state: CallState, words: str) -> None:
        assert drawn(block_of("execute", state=state, command="x"))[0].endswith(words)

    @pytest.mark.parametrize("width", [20, 21, 40, 200])
    def test_it_is_one_line_that_fits_however_long_everything_is(self, width: int) -> None:
        block = block_of("a_tool_with_a_long_name" * 3, result(1, "", 1), command="word " * 200)
        block.layout(width)
        (line,) = block.lines
        assert len(line.text) <= width


class TestUnfolded:
    def test_a_diff_is_drawn_with_numbers_and_signs(self) -> None:
        lines = drawn(block_of("edit_files", result(1, DIFF), OPEN))
        assert lines[0].startswith("▾ edit_files")
        assert [line.strip() for line in lines[1:]] == [
            "10       trap = Trap()",
            "11       relay.stop()",
            "12 -     trap.wait()",
            "12 +     for _ in range(2):",
            "13 +         trap.wait()",
            "14       assert relay.closed",
        ]

    def test_an_edit_that_is_not_done_shows_what_is_asked_for(self) -> None:
        edits = [{"path": "a.py", "old_text": "one\ntwo", "new_text": "one\nthree"}]
        lines = drawn(block_of("edit_files", None, OPEN, "asks", edits=edits))
        assert [line.split() for line in lines[1:4]] == [["one"], ["-", "two"], ["+", "three"]]

    def test_a_long_output_keeps_its_ends_and_folds_its_middle(self) -> None:
        text = "\n".join(f"line {number}" for number in range(100))
        lines = drawn(block_of("execute", result(1, text), OPEN, command="x"))
        assert "line 0" in lines[3]
        assert lines[-1].strip() == "line 99"
        (more,) = [line for line in lines if "more lines" in line]
        assert more.strip() == "▸ 80 more lines"
        whole = OPEN.turn(FoldKey("rest", "c1"))
        everything = drawn(block_of("execute", result(1, text), whole, command="x"))
        assert sum("line " in line for line in everything) == 100

    def test_arguments_of_any_tool_are_named(self) -> None:
        lines = drawn(block_of("notes", result(1, "found"), OPEN, query="x", tags=["a"], n=3))
        assert [line.strip() for line in lines[1:4]] == ["query: x", 'tags: ["a"]', "n: 3"]

    @pytest.mark.parametrize("tool", ["notes", "execute", "write_file"])
    def test_arguments_that_stream_in_are_never_shown_as_json(self, tool: str) -> None:
        block = CallBlock("c1", tool)
        text = json.dumps({"query": "x", "path": "src"})
        for end in range(len(text)):
            block.show(OPEN, arguments=text[:end], state="writing")
            assert not any("{" in line for line in drawn(block)[1:]), text[:end]
        block.show(OPEN, arguments=text, state="open")
        assert [line.strip() for line in drawn(block)[1:]] == ["query: x", "path: src"]

    def test_a_file_that_is_written_is_shown_as_it_grows(self) -> None:
        block = CallBlock("c1", "write_file")
        text = json.dumps({"path": "a.py", "content": "one\ntwo\nthree"})
        seen = []
        for end in range(len(text)):
            block.show(OPEN, arguments=text[:end], state="writing")
            seen.append(drawn(block))
        assert seen[20][0].startswith("▾ write_file  a.py")
        assert [line.strip() for line in seen[-3][1:]] == ["one", "two", "thre"]

    def test_live_output_of_any_length_costs_only_its_ends(self) -> None:
        output = Output()
        for number in range(20_000):
            output.feed(f"line {number}\n")
        head, tail, missing = output.pieces
        assert head.startswith("line 0\n")
        assert tail.endswith("line 19999\n")
        assert head.count("\n") + missing + tail.count("\n") == 20_000
        assert len(head) + len(tail) < 10 * HEAD

    @given(st.lists(st.text(alphabet="ab\n", max_size=3000), max_size=40))
    def test_output_that_is_kept_whole_is_whole(self, pieces: list[str]) -> None:
        output = Output()
        for piece in pieces:
            output.feed(piece)
        head, tail, missing = output.pieces
        if not missing and not tail:
            assert head == "".join(pieces)
        assert "".join(pieces).startswith(head)
        assert "".join(pieces).endswith(tail)


class TestArguments:
    VALUES = st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=10,
    )

    @given(st.dictionaries(st.text(max_size=5), VALUES, max_size=4), st.data())
    def test_every_beginning_of_a_json_text_can_be_read(
        self, value: Any, data: st.DataObject
    ) -> None:
        text = json.dumps(value, ensure_ascii=data.draw(st.booleans()))
        end = data.draw(st.integers(1, len(text)))
        found = parsed(text[:end])
        json.loads(completed(text[:end]))
        assert set(found) <= set(value)
        if end == len(text):
            assert json.dumps(found, sort_keys=True) == json.dumps(value, sort_keys=True)

    def test_strings_grow(self) -> None:
        assert parsed('{"path": "a", "content": "one\\ntw') == {"path": "a", "content": "one\ntw"}
        assert parsed('{"path": "a\\') == {"path": "a"}
        assert parsed('{"path": "a\\u00e') == {"path": "a"}
        assert parsed('{"path": "a", "con') == {"path": "a"}

    @pytest.mark.parametrize("text", ["", "[1, 2]", "no json", '"text"', "{{", "}"])
    def test_what_is_no_object_has_no_arguments(self, text: str) -> None:
        assert parsed(text) == {}

    def test_the_subject_is_what_the_call_is_about(self) -> None:
        assert subject({"timeout": 3, "command": "make"}, "") == "make"
        assert subject({"edits": [{"path": "a"}, {"path": "b"}, {"path": "a"}]}, "") == "a, b"
        assert subject({"whatever": "this"}, "") == "this"
        assert subject({}, "{}") == ""


class TestDiffs:
    def test_what_stands_around_a_diff_is_not_taken_for_it(self) -> None:
        (hunk,) = hunks_of(f"- not this\n{DIFF}\n+ nor this\n")
        assert changes([hunk]) == (2, 1)
        assert hunk.file == "tests/test_relay.py"

    def test_several_files_are_named(self) -> None:
        text = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n--- a/y\n+++ /dev/null\n@@ -1 +0,0 @@\n-c\n"
        hunks = hunks_of(text)
        assert [hunk.file for hunk in hunks] == ["x", "y"]
        lines = [line.text for line in diff_lines(hunks, 40)]
        assert lines[0] == "x"
        assert "y" in lines

    def test_what_an_edit_asks_for_has_no_line_numbers(self) -> None:
        assert {row.number for row in hunk_between("a", "x\ny", "x\nz").rows} == {0}

    @given(st.text(alphabet="+-@ \\1,0ab\n", max_size=200))
    def test_any_text_is_read_without_stumbling(self, text: str) -> None:
        diff_lines(hunks_of(text), 20)


async def test_calls_that_are_written_in_turn_all_grow(tmp_path: Path) -> None:
    daemon = running(user(1, "run both"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        stream = daemon.stream_of("a")
        text = '{"command": "make test"}'
        for start, end in [(0, 16), (16, 20), (20, len(text))]:
            for block in (0, 1):
                more = {"name": "execute", "call_id": f"c{block}"}
                piece = part(text[start:end], start, block, "1.1", "tool_call", **more)
                stream.tell(piece)
        await me.shows("▸ execute  make test")
        assert me.text().count("▸ execute  make test") == 2


async def test_a_call_is_one_line_from_its_first_letter_to_its_result(tmp_path: Path) -> None:
    daemon = running(user(1, "run it"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        stream = daemon.stream_of("a")
        text = '{"command": "make test"}'
        more = {"name": "execute", "call_id": "c1"}
        stream.tell(part(text[:16], 0, 0, "1.1", "tool_call", **more))
        await me.shows("▸ execute  mak", "… writing")
        stream.tell(part(text[16:], 16, 0, "1.1", "tool_call", **more))
        await me.shows("▸ execute  make test")
        stream.tell(
            MessageEvent(answer(2, call(1, "execute", command="make test")), replaces="1.1"),
            status("running", versions=versions(3, 3)),
        )
        await me.shows("… waits")
        stream.tell(part("all ", 0, 0, "3.1", "tool_output", **more))
        await me.shows("… running")
        await me.press("ctrl+t", "enter", "enter")
        await me.shows("▾ execute", "all")
        stream.tell(part("is well", 4, 0, "3.1", "tool_output", **more))
        await me.shows("all is well")
        assert me.text().count("execute") == 1
        done = ToolResult("c1", "all is well\n2 passed", duration_ms=1500)
        stream.tell(MessageEvent(results(3, done), replaces="3.1"), status("running"))
        await me.shows("✓ 1.5 s", "▾ execute", "2 passed")


async def test_a_call_that_waits_for_a_person_says_so_until_it_is_answered(tmp_path: Path) -> None:
    daemon = running(user(1, "x"), answer(2, call(1, "execute", command="rm -rf build")))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        stream = daemon.stream_of("a")
        stream.tell(status("requires_action"), ActionRequired(["c1"]), CaughtUp(3))
        await me.shows("rm -rf build", "? asks")
        denied = ToolResult("c1", "The user did not allow this call.", is_error=True)
        stream.tell(MessageEvent(results(3, denied)), ActionRequired([]), status("running"))
        await me.shows("✗ denied", "└ The user did not allow this call.")


async def test_a_question_never_folds(tmp_path: Path) -> None:
    asks = call(1, "ask_user", question="Which one?", options=["This", "That"])
    daemon = running(user(1, "x"), answer(2, asks))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("▸ ask_user", "Which one?", "1. This", "2. That")


async def test_output_of_a_call_that_runs_again_begins_anew(tmp_path: Path) -> None:
    daemon = running(user(1, "x"), answer(2, call(1, "execute", command="make")))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        stream = daemon.stream_of("a")
        await me.shows("execute")
        me.transcript.viewport.set_folds(me.transcript.viewport.folds.all(True))
        more = {"name": "execute", "call_id": "c1"}
        stream.tell(part("first try", 0, 0, "3.1", "tool_output", **more))
        await me.shows("first try")
        stream.tell(part("second", 0, 0, "3.2", "tool_output", **more))
        await me.shows("second")
        await me.hides("first try")
