"""What is folded into a line, by default and by keys, and that the view does not move then."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from palaver.wire.chats import ChatStatus
from palaver.wire.events import CaughtUp, MessageEvent
from palaver.wire.messages import Message, MessagePage, Reasoning, ToolResult
from palaver_tui.transcript.folds import FoldKey, Folds
from palaver_tui.transcript.steps import Steps, runs_of_steps
from tui.replay import ReplayClient, answer, part, status, user, versions
from tui.screen import Client, client
from tui.sheet import ASKING, YESTERDAY, call, finished_turn, result, results, troubled_turn
from tui.test_client import LONG, running, with_chat
from tui.test_selection import target_of


def runs(
    messages: Sequence[Message],
    status: ChatStatus = "waiting",
    held: frozenset[int] = frozenset(),
) -> list[Steps]:
    found = {
        part.call_id: part
        for message in messages
        for part in message.parts
        if isinstance(part, ToolResult)
    }
    shown = [message for message in messages if message.role != "tool"]
    return runs_of_steps(shown, found, status, held)


class TestRuns:
    def test_consecutive_steps_of_a_finished_turn_are_one_run_with_their_number_and_time(
        self,
    ) -> None:
        (run,) = runs(finished_turn())
        assert run.ids == (2, 4, 6)
        assert run.calls == 3
        assert run.took_ms == 4100 + 12 + 2000 + 3200 + 5000 + 40

    @pytest.mark.parametrize("status", ["running", "requires_action", "error", "interrupting"])
    def test_the_steps_of_a_turn_that_is_not_over_stay(self, status: ChatStatus) -> None:
        assert runs(finished_turn(), status) == []

    def test_what_follows_a_turn_ends_it(self) -> None:
        assert [run.ids for run in runs([*finished_turn(), user(20, "x")], "running")] == [
            (2, 4, 6)
        ]

    def test_errors_denials_questions_and_stopped_steps_never_fold(self) -> None:
        assert runs([*troubled_turn(), *ASKING, results(32, result(8, "Yes")), user(33, "x")]) == []

    def test_an_error_parts_two_runs(self) -> None:
        def step(number: int, failed: bool = False) -> list[Message]:
            return [
                answer(2 * number, call(number, "execute", command="x"), finish="tool_calls"),
                results(2 * number + 1, result(number, "x", failed=failed)),
            ]

        steps = [step(number, failed=number == 3) for number in range(1, 6)]
        turn = [user(1, "x"), *[message for pair in steps for message in pair], answer(20, "end")]
        assert [run.ids for run in runs(turn)] == [(2, 4), (8, 10)]

    def test_a_single_step_is_no_run(self) -> None:
        turn = [user(1, "x"), answer(2, call(1, "execute")), results(3, result(1, "x"))]
        assert runs([*turn, answer(4, "end")]) == []

    def test_steps_that_somebody_reads_stay(self) -> None:
        assert runs(finished_turn(), held=frozenset({2})) == [
            runs(finished_turn())[0]._replace(ids=(4, 6), calls=2, took_ms=10_240)
        ]


class TestFolds:
    KEY = FoldKey("call", "c1")

    def test_turning_twice_changes_nothing(self) -> None:
        assert not Folds().is_open(self.KEY)
        assert Folds().turn(self.KEY).is_open(self.KEY)
        assert Folds().turn(self.KEY).turn(self.KEY) == Folds()

    def test_all_are_opened_and_folded_at_once(self) -> None:
        assert Folds().turn(self.KEY).all(True).is_open(self.KEY)
        assert not Folds().turn(self.KEY).all(False).is_open(self.KEY)

    def test_one_kind_alone_can_be_opened(self) -> None:
        folds = Folds().turn(self.KEY).with_kind("reasoning", True)
        assert folds.is_open(FoldKey("reasoning", "2"))
        assert folds.is_open(self.KEY)
        assert not folds.is_open(FoldKey("steps", "2"))


def in_view(me: Client) -> list[str]:
    top = me.transcript.scroll_offset.y
    return [
        me.transcript.viewport.column.line(top + y)[2].text
        for y in range(me.transcript.size.height)
    ]


def finished_chat() -> ReplayClient:
    return with_chat(*finished_turn())


async def test_steps_of_a_finished_turn_are_one_line_that_unfolds_and_folds_again(
    tmp_path: Path,
) -> None:
    async with client(tmp_path, daemon=finished_chat(), chat_id="a") as me:
        await me.shows("▸ 3 steps · 14 s", "It waits for one timer")
        await me.press("ctrl+t", "comma", "comma", "comma")
        assert target_of(me).fold == FoldKey("steps", "6")
        await me.press("enter")
        await me.shows("▾ 3 steps", "▸ read_file", "▸ execute", "▸ edit_files")
        await me.press("enter")
        await me.shows("▸ 3 steps")
        await me.hides("read_file")


async def test_a_fold_is_opened_by_a_click_and_its_line_stays_where_it_is(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=finished_chat(), chat_id="a") as me:
        await me.shows("▸ 3 steps")
        row = next(y for y, line in enumerate(me.text().split("\n")) if "▸ 3 steps" in line)
        for expected in ("▾ 3 steps", "▸ 3 steps"):
            await me.pilot.click(offset=(50, row))
            await me.until(
                partial(lambda expected: expected in me.text().split("\n")[row], expected)
            )


async def test_everything_is_unfolded_and_folded_with_one_key(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=finished_chat(), chat_id="a", size=(100, 60)) as me:
        await me.shows("▸ 3 steps")
        await me.press("ctrl+t", "z")
        await me.shows("▾ 3 steps", "▾ read_file", "Two code paths", "▸ 20 more lines")
        await me.press("z")
        await me.shows("▸ 3 steps")
        await me.hides("read_file")


async def test_the_long_middle_of_an_output_unfolds_by_itself(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=finished_chat(), chat_id="a", size=(100, 60)) as me:
        await me.shows("▸ 3 steps")
        await me.press("ctrl+t", "z")
        await me.shows("▸ 20 more lines")
        me.transcript.viewport.set_folds(me.transcript.viewport.folds.turn(FoldKey("rest", "c2")))
        await me.shows("▾ 20 lines", "test_20.py")


async def test_what_is_unfolded_while_it_streams_stays_so_when_it_is_committed(
    tmp_path: Path,
) -> None:
    daemon = running(user(1, "why?"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        stream = daemon.stream_of("a")
        stream.tell(
            part("Let me ponder", 0, 0, "1.1", "reasoning"),
            part('{"command": "make"}', 0, 1, "1.1", "tool_call", name="execute", call_id="c1"),
        )
        await me.shows("▸ thinking", "▸ execute")
        await me.press("ctrl+t", "comma", "enter", "comma", "enter")
        await me.shows("▾ thinking", "Let me ponder", "▾ execute")
        whole = answer(2, Reasoning("Let me ponder", 900), call(1, "execute", command="make"))
        stream.tell(MessageEvent(whole, replaces="1.1"), status("running"))
        await me.shows("▾ thought for 0.9 s", "Let me ponder", "▾ execute")
        # All events arrive once more, as after a lost connection.
        stream.tell(
            MessageEvent(user(1, "why?")), MessageEvent(whole), status("running"), CaughtUp(4)
        )
        await me.until(lambda: me.view.progress.since == 4)
        await me.shows("▾ thought for 0.9 s", "Let me ponder", "▾ execute")


async def test_what_is_unfolded_is_remembered_for_each_chat(tmp_path: Path) -> None:
    daemon = finished_chat()
    daemon.stream_of("b").tell(MessageEvent(user(5, "second")), status(title="B"), CaughtUp(4))
    async with client(tmp_path, daemon=daemon, chat_id="a", size=(100, 70)) as me:
        await me.shows("▸ 3 steps", "Second chat")
        await me.press("ctrl+t", "z", "ctrl+l", "down")
        await me.shows("second")
        await me.press("up")
        await me.shows("▾ 3 steps")


async def test_a_turn_that_ends_while_one_reads_its_steps_folds_only_when_one_returns(
    tmp_path: Path,
) -> None:
    turn = finished_turn()
    daemon = running(*turn[:7])
    daemon.stream_of("a").tell(part(LONG, 0, 0, "7.1"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.until(lambda: me.view.live and me.transcript.viewport.column.height > 100)
        await me.press("ctrl+t")
        me.transcript.search.begin("read_file")
        me.transcript.search.end()
        await me.shows("▸ read_file")
        before = in_view(me)
        daemon.stream_of("a").tell(
            MessageEvent(answer(92, LONG, created_at=YESTERDAY), replaces="7.1"),
            status("waiting", versions=versions(9, 9)),
        )
        await me.until(lambda: me.view.live is None and me.view.status == "waiting")
        await me.pilot.pause()
        assert in_view(me) == before
        await me.press("G", "home")
        await me.shows("▸ 3 steps")


async def test_older_steps_join_a_folded_run_without_unfolding_it(tmp_path: Path) -> None:
    turn = finished_turn()
    daemon = with_chat(*turn[3:])
    daemon.pages[4] = MessagePage(list(reversed(turn[:3])), more=False)
    async with client(tmp_path, daemon=daemon, chat_id="a", size=(100, 50)) as me:
        await me.until(lambda: len(me.view.messages) == 8)
        await me.shows("▸ 3 steps")
        await me.hides("read_file")
