"""Completion in a real bash, through click's own script, from a running daemon."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cli.test_ids import plant_all
from palaver.cli.completion import PATIENCE_S
from support.daemon import running_pair

BASH = shutil.which("bash")
pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(BASH is None, reason="there is no bash"),
]
SCRIPT = """
eval "$(_PALAVER_COMPLETE=bash_source palaver)"
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_palaver_completion palaver
printf '%s\\n' "${COMPREPLY[@]}"
"""


async def complete(*words: str, data_dir: Path) -> list[str]:
    """Press Tab after these words; return bash's candidates."""
    programs = str(Path(sys.executable).parent)
    process = await asyncio.create_subprocess_exec(
        *(str(BASH), "--norc", "-c", SCRIPT, "bash", "palaver", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={
            **os.environ,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PALAVER_DATA_DIR": str(data_dir),
        },
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert err == b""
    return out.decode().split()


@pytest.fixture
async def data_dir() -> AsyncIterator[Path]:
    async with running_pair() as (daemon, _, _):
        await plant_all(daemon)
        yield daemon._data_dir.path


async def test_a_shell_completes_commands_ids_and_models(data_dir: Path) -> None:
    assert await complete("da", data_dir=data_dir) == ["daemon"]
    assert await complete("daemon", "st", data_dir=data_dir) == ["status", "stop"]
    assert await complete("show", "ab", data_dir=data_dir) == ["abcd22", "abcd11", "abcd"]
    assert await complete("show", "O", data_dir=data_dir) == ["old44"]
    assert await complete("run", "--chat", "wx", data_dir=data_dir) == ["wxyz33"]
    assert await complete("send", "wxyz33", "--model", "", data_dir=data_dir) == ["sonnet", "small"]
    elsewhere = data_dir / "elsewhere"
    named = await complete("--data-dir", str(data_dir), "run", "-m", "so", data_dir=elsewhere)
    assert named == ["sonnet"]


async def test_without_a_daemon_nothing_is_completed_said_or_started(tmp_path: Path) -> None:
    assert await complete("show", "", data_dir=tmp_path / "none") == []
    assert await complete("run", "--model", "", data_dir=tmp_path / "none") == []
    assert not (tmp_path / "none").exists()


async def test_a_daemon_that_does_not_answer_is_not_waited_for(tmp_path: Path) -> None:
    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # until the client gives up
        writer.close()
        await writer.wait_closed()

    silent = await asyncio.start_unix_server(listen, tmp_path / "s")
    async with silent, asyncio.timeout(PATIENCE_S + 20):
        words = ("--socket", str(tmp_path / "s"), "show", "")
        assert await complete(*words, data_dir=tmp_path) == []
