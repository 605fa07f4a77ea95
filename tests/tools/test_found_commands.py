"""What the next daemon finds of a command, wherever the last one was killed: it runs at most once.

Every command here writes its mark, so that a second run would show.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from palaverd.tools.commands.call_files import CallFiles, Order, Prevented
from palaverd.tools.commands.execute import EXECUTE, Execute, Trace
from palaverd.tools.commands.processes import MARK, boot_id
from palaverd.tools.commands.registry import Claim
from palaverd.tools.tool import Found, NotBegun, Outcome, Unknown
from support.clock import PATIENCE_S
from tools.running_commands import Bench, bench, claimed, eventually, runs

pytestmark = pytest.mark.process

WAITS = "echo $$ >> began; echo shown; until test -e go; do sleep 0.01; done; echo end"


async def found(b: Bench, command: str, trace: str | None) -> Found:
    return await EXECUTE.find(b.running(), Execute(command, timeout=PATIENCE_S), trace)


async def killed(b: Bench, command: str) -> str | None:
    """Begin a command, and lose the daemon: its task ends nothing."""
    lost = b.running(handed_over=lambda: True)
    intent = await EXECUTE.intend(lost, Execute(command, timeout=PATIENCE_S))
    task = asyncio.ensure_future(intent.act())
    await b.began()
    b.restart()
    task.cancel()
    with suppress(asyncio.CancelledError):  # it may have ended
        await task
    return intent.trace


async def test_killed_after_the_journal_it_has_not_begun_and_runs(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        intent = await b.intend("echo mark >> began")
        b.restart()
        assert await found(b, "echo mark >> began", intent.trace) == NotBegun()
        assert await found(b, "echo mark >> began", intent.trace) == NotBegun()
        await b.execute("echo mark >> began")
        assert await b.began() == "mark"


def test_of_a_wrapper_and_a_daemon_that_recovers_one_decides(tmp_path: Path) -> None:
    early = 0
    for number in range(10):
        files = CallFiles(tmp_path / f"call{number}")
        mark = tmp_path / f"mark{number}"
        files.prepare(Order(["/bin/sh", "-c", f"echo >> {mark}"], tmp_path, 0o022))
        pid = files.spawn({**os.environ, MARK: str(files.folder)})
        end = time.monotonic() + PATIENCE_S
        while number % 2 and not files.output.exists() and time.monotonic() < end:
            pass  # until it is about to begin
        state = files.settle(boot_id())
        os.waitpid(pid, 0)
        assert mark.exists() != isinstance(state, Prevented)
        early += isinstance(state, Prevented)
    assert early > 0


async def test_one_that_runs_is_attached_to(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        trace = await killed(b, WAITS)
        await b.commands.recover(claimed("wanted"))
        task = asyncio.create_task(found(b, WAITS, trace))
        await eventually(lambda: "shown" in "".join(b.said))
        (b.root / "go").touch()
        outcome = await task
        assert isinstance(outcome, Outcome)
        assert outcome.text.startswith("shown\nend\n[Ended with exit code 0 after ")
        assert len((await b.began()).split()) == 1


async def test_a_stop_ends_one_that_was_attached_to(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        trace = await killed(b, WAITS)
        await b.commands.recover(claimed("wanted"))
        task = asyncio.create_task(found(b, WAITS, trace))
        await eventually(lambda: "shown" in "".join(b.said))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await b.commands.gone("c")
        assert not runs(await b.began())


async def test_one_that_ended_meanwhile_has_its_result(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        trace = await killed(b, "echo $$ >> began; echo shown; exit 5")
        await eventually((tmp_path / "calls/c/one/exit").exists)
        await b.commands.recover(claimed("wanted"))
        outcome = await found(b, "the same", trace)
        assert isinstance(outcome, Outcome)
        assert outcome.text.startswith("shown\n[Ended with exit code 5 after ")


async def test_one_that_vanished_is_unknown_and_leaves_nothing(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        trace = await killed(b, f"echo shown; (setsid sleep 100 &) ; {WAITS}")
        wrapper = int((tmp_path / "calls/c/one/begun").read_text().split()[0])
        os.kill(wrapper, signal.SIGKILL)
        await eventually(lambda: not runs(wrapper))
        await b.commands.recover(claimed("wanted"))
        unknown = await found(b, WAITS, trace)
        assert isinstance(unknown, Unknown)
        assert unknown.why.endswith("It had printed:\nshown\nshown")
        pid = await b.began()
        await eventually(lambda: not runs(pid))


async def test_after_a_restart_of_the_machine_nobody_knows_whether_it_began(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        intent = await b.intend("true")
        assert intent.trace is not None
        told = msgspec.json.decode(intent.trace, type=Trace)
        before = msgspec.json.encode(msgspec.structs.replace(told, boot="another")).decode()
        assert isinstance(await found(b, "true", before), Unknown)


@pytest.mark.parametrize("claim", ["unwanted", "gone"])
async def test_one_that_no_chat_waits_for_is_ended(claim: Claim, tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        await killed(b, WAITS)
        pid = await b.began()
        await b.commands.recover(claimed(claim))
        await eventually(lambda: not runs(pid))
        await eventually(lambda: not list((tmp_path / "commands").iterdir()))


async def test_a_background_process_keeps_its_name(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        await b.execute(WAITS, background=True)
        pid = await b.began()
        b.restart()
        await b.commands.recover(claimed("wanted"))
        assert runs(pid)
        outcome = await b.execute("sleep 100", "two", background=True)
        assert "as process p2." in outcome.text
        (b.root / "go").touch()
        shown = await b.call("process_output", '{"process_id":"p1","wait":30}')
        assert shown.text.startswith("shown\nend\n[Ended with exit code 0 after ")


async def test_another_process_with_its_id_is_left_alone(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        files = b.commands.files_of("c", "one")
        files.folder.mkdir(parents=True)
        (files.folder / "begun").write_text(f"{os.getpid()} 1 {os.getpid()}")
        record = await b.commands.record("c", "one", "mine")
        await asyncio.to_thread(b.commands._records.write, record)
        await b.commands.recover(claimed("unwanted"))
        assert isinstance(await found(b, "mine", None), Unknown)
