"""Commands with real processes: what the model reads, what it is not given, what ends."""

from __future__ import annotations

import asyncio
import os
import tracemalloc
from pathlib import Path

import pytest

from palaverd.tools.commands.execute import EXECUTE, Execute
from palaverd.tools.failures import ToolError
from palaverd.tools.output import OUTPUT_NAME
from palaverd.tools.tool import Outcome
from palaverd.tools.workspace import Outside
from support.clock import PATIENCE_S
from support.guardian import VARIABLE
from tools.running_commands import BUDGET, bench, eventually, runs

pytestmark = pytest.mark.process

# Two levels of children in sessions of their own, which a process group does not reach; each is
# deaf to SIGTERM. The last one writes its id.
DETACHED = (
    '(setsid sh -c \'trap "" TERM; (setsid sh -c "trap \\"\\" TERM; echo \\$\\$ > began; '
    "exec 1>&- 2>&-; while :; do sleep 1; done\") & sleep 100' &)"
)
WAITS = "echo $$ > began; until test -e go; do sleep 0.01; done; echo end"
DEAF = "trap '' TERM INT HUP; echo $$ > began; while :; do sleep 1; done"


async def test_both_outputs_are_shown_in_their_order_with_the_exit_code(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        outcome = await b.execute("echo one; echo two >&2; echo three; exit 3")
        assert outcome.text.startswith("one\ntwo\nthree\n[Ended with exit code 3 after ")
        assert outcome.is_error
        assert "".join(b.said) == "one\ntwo\nthree\n"


async def test_a_command_without_output_says_so(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        outcome = await b.execute("true")
        assert outcome.text.startswith("[It printed nothing.]\n[Ended with exit code 0 after ")
        assert not outcome.is_error


async def test_a_command_that_is_killed_says_by_which_signal(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        outcome = await b.execute("kill -SEGV $$")
        assert "Ended by signal 11 (SIGSEGV)" in outcome.text
        assert outcome.is_error


async def test_it_has_no_terminal_and_reads_nothing(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        outcome = await b.execute("test -t 0 || echo none; cat; (: < /dev/tty) 2>&1")
        assert outcome.text.startswith("none\n")
        assert "/dev/tty" in outcome.text


async def test_it_runs_where_it_is_told_inside_the_workspace(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        (b.root / "deep").mkdir()
        (b.root / "file").write_text("")
        outcome = await b.execute("pwd", workdir="deep")
        assert outcome.text.startswith(f"{b.root}/deep\n")
        with pytest.raises(Outside):
            await b.execute("pwd", workdir="..")
        with pytest.raises(ToolError, match="file is no directory to run in: Not a directory"):
            await b.execute("pwd", workdir="file")


async def test_it_gets_no_secrets_and_nothing_that_asks(tmp_path: Path) -> None:
    base = {
        "PATH": os.environ["PATH"],
        "PALAVER_CONFIG": "mine",
        "OPENAI_API_KEY": "sk-secret-1",
        "MISTRAL_API_KEY": "sk-secret-2",
        "CHOSEN_KEY": "sk-secret-3",
        "COPY": "sk-secret-3",
        "FORCE_COLOR": "1",
        "KEPT": "kept",
        VARIABLE: os.environ[VARIABLE],
    }
    async with bench(tmp_path, base=base) as b:
        shown = (await b.execute("env")).text.splitlines()
        assert not [line for line in shown if "sk-secret" in line or line.startswith("FORCE")]
        ours = [line for line in shown if line.startswith("PALAVER")]
        assert ours == [f"PALAVER_CALL={tmp_path}/calls/c/one"]
        assert {"KEPT=kept", "PAGER=cat", "EDITOR=false", "GIT_TERMINAL_PROMPT=0"} <= set(shown)


async def test_files_get_the_umask_of_the_person(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        async with bench(tmp_path) as b:
            await b.execute("touch made")
            assert (b.root / "made").stat().st_mode & 0o777 == 0o644
            assert (tmp_path / "calls/c/one" / OUTPUT_NAME).stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)


async def test_its_files_are_not_those_of_the_daemon(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        with (tmp_path / "held").open("w"):
            outcome = await b.execute("ls -l /proc/self/fd | grep -c held")
        assert outcome.text.startswith("0\n")


async def test_a_pipe_that_nobody_reads_ends_its_writer(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        outcome = await b.execute("yes | head -1; echo ${PIPESTATUS[0]}")
        assert outcome.text.startswith("y\n141\n")


async def test_binary_output_is_named_and_kept(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        outcome = await b.execute(r"printf '\177ELF\000\001\002\377'; exit 1")
        assert outcome.text.startswith(
            "[The output is binary: 8 bytes, from 7f 45 4c 46 00 01 02 ff on. "
            "All of it is in output:one"
        )
        assert (tmp_path / "calls/c/one/output").read_bytes() == b"\x7fELF\0\1\2\xff"


async def test_a_bar_that_is_drawn_over_itself_is_shown_once(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        outcome = await b.execute(r"printf ' 10%%\r 50%%\r100%%\ndone\r\n'")
        assert outcome.text.startswith("100%\ndone\n[")


async def test_a_long_output_is_shown_within_the_budget_and_kept_whole(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        outcome = await b.execute("seq 1 20000")
        assert len(outcome.text.encode()) <= BUDGET
        assert outcome.text.startswith("1\n2\n3\n")
        assert "\n20000\n[Ended with exit code 0" in outcome.text
        assert "[The middle of 108,894 bytes is left out here." in outcome.text
        assert (tmp_path / "calls/c/one/output").read_text().splitlines()[-1] == "20000"


async def test_a_hundred_megabytes_do_not_move_the_memory(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        tracemalloc.start()
        try:
            outcome = await b.execute("yes 'käse und brot' | head -c 100000000")
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert most < 16 * 1024**2
        assert len(outcome.text.encode()) <= BUDGET
        assert sum(map(len, b.said)) < 4 * 64 * 1024
        assert (tmp_path / "calls/c/one/output").stat().st_size == 100_000_000


async def test_what_a_command_leaves_behind_ends_with_it(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        outcome = await b.execute(f"{DETACHED}; until test -s began; do sleep 0.01; done; exit 0")
        assert not runs(await b.began())
        assert "Ended with exit code 0" in outcome.text
        assert "it left running ended with it" in outcome.text


@pytest.mark.parametrize("command", [DEAF, f"{DETACHED}; sleep 100"], ids=["deaf", "detached"])
async def test_a_stop_ends_what_ignores_it(command: str, tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        task = asyncio.create_task(b.execute(command))
        pid = await b.began()
        assert runs(pid)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await b.commands.gone("c")
        assert not runs(pid)


async def test_a_call_that_another_runner_takes_over_goes_on(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        given = Execute(WAITS, timeout=PATIENCE_S)
        intent = await EXECUTE.intend(b.running(handed_over=lambda: True), given)
        task = asyncio.ensure_future(intent.act())
        pid = await b.began()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert runs(pid)
        (b.root / "go").touch()
        found = await EXECUTE.find(b.running(), given, intent.trace)
        assert isinstance(found, Outcome)
        assert found.text.startswith("end\n[Ended with exit code 0")


async def test_a_stop_before_it_begins_prevents_it(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        task = asyncio.create_task(b.execute("touch began"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await b.commands.gone("c")
        state = b.commands.files_of("c", "one").state()
        assert b.commands._commands == {}, state


async def test_without_a_supervisor_nothing_is_left_and_nobody_guesses(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        outcome = await b.execute(f"echo before; {DETACHED}; sleep 0.2; kill -9 $PPID; sleep 100")
        assert outcome.is_error
        assert "nobody saw how it ended" in outcome.text
        assert outcome.text.endswith("It had printed:\nbefore")
        pid = await b.began()
        await eventually(lambda: not runs(pid))


async def test_a_command_that_cannot_start_says_why(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        (tmp_path / "calls").write_text("in the way")
        with pytest.raises(ToolError, match="The command could not be started: "):
            await b.execute("true")
        assert b.commands._commands == {}
