"""Commands that go on beside their chat: by timeout or from the start, and when they end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from palaverd.tools.commands.registry import ARCHIVED
from palaverd.tools.failures import ToolError
from support.clock import ManualClock, result_of
from tools.running_commands import bench, claimed, eventually, runs

pytestmark = pytest.mark.process

WAITS = "echo first; echo $$ > began; until test -e go; do sleep 0.01; done; echo last; exit 4"


async def test_a_command_that_takes_too_long_goes_on_under_a_name(tmp_path: Path) -> None:
    clock = ManualClock()
    async with bench(tmp_path, clock) as b:
        task = asyncio.create_task(b.execute(WAITS, timeout=10))
        pid = await b.began()
        outcome = await result_of(task, clock, 1.0)
        assert outcome.text.startswith("first\n[After 10 s it still runs, as process p1. ")
        assert not outcome.is_error
        assert runs(pid)
        assert (await b.call("process_list", "{}")).text.startswith("p1  echo first; echo $$ ")
        (b.root / "go").touch()
        await b.commands.named("c")[0].over.wait()
        shown = (await b.call("process_output", '{"process_id":"p1"}')).text
        assert shown.startswith("first\nlast\n[Ended with exit code 4 after ")


async def test_a_background_process_returns_at_once_and_shows_what_is_new(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        outcome = await b.execute(WAITS, background=True)
        assert outcome.text.startswith("[It runs in the background as process p1. ")
        await b.began()
        shown = (await b.call("process_output", '{"process_id":"p1"}')).text
        assert shown.startswith("first\n[Runs, for ")
        assert shown.endswith("[offset=6 shows what comes next.]")
        (b.root / "go").touch()
        rest = await b.call("process_output", '{"process_id":"p1","offset":6,"wait":30}')
        assert rest.text.startswith("last\n[Ended with exit code 4 after ")


async def test_names_count_up_and_belong_to_a_chat(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        for call in ("one", "two"):
            await b.execute("sleep 100", call, background=True)
        assert [one.record.name for one in b.commands.named("c")] == ["p1", "p2"]
        assert (await b.call("process_list", "{}", "d")).text == "This chat has no processes."
        with pytest.raises(ToolError, match="This chat has no process p1; it has none"):
            await b.call("process_output", '{"process_id":"p1"}', "d")
        with pytest.raises(ToolError, match="This chat has no process p1; it has none"):
            await b.call("process_signal", '{"process_id":"p1"}', "d")


async def test_a_signal_reaches_the_whole_group(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        await b.execute("sh -c 'echo $$ > began; exec sleep 100'; true", background=True)
        pid = await b.began()
        outcome = await b.call("process_signal", '{"process_id":"p1","signal":"KILL"}')
        assert outcome.text.startswith("SIGKILL was sent. [Ended by signal 9 (SIGKILL) after ")
        assert not runs(pid)
        outcome = await b.call("process_signal", '{"process_id":"p1"}')
        assert outcome.is_error
        assert outcome.text.startswith("Nothing was sent. [Ended by signal 9 ")


async def test_all_of_a_chat_end_with_it_and_say_why(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        await b.execute("echo $$ > began; sleep 100", background=True)
        pid = await b.began()
        b.commands.end_chat("c", ARCHIVED)
        await b.commands.gone("c")
        assert not runs(pid)
        assert "because the chat was archived." in (await b.call("process_list", "{}")).text


async def test_a_deleted_chat_leaves_no_process_and_no_output(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        await b.execute("echo $$ > began; sleep 100", background=True)
        pid = await b.began()
        b.commands.delete_chat("c")
        await eventually(lambda: not (tmp_path / "calls/c").exists())
        assert not runs(pid)
        assert b.commands.named("c") == []
        assert list((tmp_path / "commands").iterdir()) == []


async def test_all_end_when_the_daemon_stops_and_the_next_one_says_so(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        await b.execute("echo $$ > began; sleep 100", background=True)
        pid = await b.began()
        await b.commands.stop()
        assert not runs(pid)
        b.restart()
        await b.commands.recover(claimed("wanted"))
        shown = (await b.call("process_output", '{"process_id":"p1"}')).text
        assert "because the daemon was stopped." in shown
