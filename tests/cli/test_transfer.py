"""Export and import, as processes."""

from __future__ import annotations

import asyncio
import fcntl
import json
import signal
import stat
import termios
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from cli.test_commands_with_daemon import Shell
from palaver.wire import protocol
from palaver.wire.chats import CreateChat
from palaverd.config.types import WorkerConfig
from support.clock import until
from support.daemon import running_pair
from support.forkserver import fork

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]

TITLE = "The relay"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def palaver() -> AsyncIterator[Shell]:
    async with running_pair(worker=WorkerConfig(enabled=False)) as (_, client, _sim):
        yield Shell(client)


async def chat(palaver: Shell) -> str:
    return (await palaver.client.create_chat(CreateChat("Why ü?", title=TITLE))).chat.id


async def test_a_chat_is_written_to_standard_output_or_to_a_file(
    palaver: Shell, tmp_path: Path
) -> None:
    chat_id = await chat(palaver)
    shown = await palaver("export", chat_id[:8])
    assert shown.out.startswith(f"# {TITLE}\n")
    assert "> Why ü?\n" in shown.out
    assert shown.err == ""
    for name, begins in [("a.md", "# "), ("a.json", "{"), ("a.txt", "# "), ("a.json", "{")]:
        path = tmp_path / name
        ended = await palaver("export", chat_id, "-o", str(path))
        assert ended.out == ""
        assert ended.err == f"Exported “{TITLE}” to {path}.\n"
        assert path.read_text().startswith(begins)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads((await palaver("export", chat_id, "--format", "json")).out)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.json", "a.md", "a.txt"]


async def test_what_cannot_be_written_is_a_sentence_and_leaves_nothing(
    palaver: Shell, tmp_path: Path
) -> None:
    chat_id = await chat(palaver)
    ended = await palaver("export", chat_id, "-o", str(tmp_path / "no" / "a.md"), code=1)
    assert ended.err.startswith("palaver: ")
    assert "cannot be written" in ended.err
    assert len(ended.err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
    assert "nope" in (await palaver("export", "nope", code=1)).err


async def test_an_export_is_imported_as_a_new_chat(palaver: Shell, tmp_path: Path) -> None:
    chat_id = await chat(palaver)
    path = tmp_path / "a.json"
    await palaver("export", chat_id, "-o", str(path))
    imported = (await palaver("import", str(path))).out.strip()
    assert imported != chat_id
    [line] = await palaver.lines("import", str(path))
    assert line["chat"]["title"] == TITLE
    assert line["chat"]["status"] == "waiting"
    # Through a pipe, too.
    socket = str(palaver.client.endpoint.socket)
    piped = await fork("palaver", "--socket", socket, "import", "-", stdin=PIPE, stdout=PIPE)
    out, _ = await piped.communicate(path.read_bytes())
    third = out.decode().strip()
    texts = [(await palaver("export", one)).out.splitlines()[4:] for one in (chat_id, third)]
    assert texts[0] == texts[1]


async def test_an_import_that_waits_for_its_input_ends_at_the_first_interrupt(
    palaver: Shell,
) -> None:
    socket = str(palaver.client.endpoint.socket)
    process = await fork("palaver", "--socket", socket, "import", "-", stdin=PIPE, stdout=PIPE)
    assert process.stdin is not None
    process.stdin.write(b"{")
    pipe = process.stdin.get_extra_info("pipe").fileno()
    await until(lambda: not any(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4))))
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(30):
        assert await process.wait() == 130
    process.stdin.close()


async def test_what_is_no_export_is_named(palaver: Shell, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"format": "palaver-chat", "version": 7}')
    assert "version is 7" in (await palaver("import", str(path), code=1)).err
    assert "No such file" in (await palaver("import", str(tmp_path / "b"), code=2)).err


async def test_an_older_daemon_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    older = tuple(name for name in protocol.CAPABILITIES if name != protocol.EXPORTS)
    monkeypatch.setattr(protocol, "CAPABILITIES", older)
    async with running_pair(worker=WorkerConfig(enabled=False)) as (_, client, _sim):
        palaver = Shell(client)
        path = tmp_path / "a.json"
        path.write_text("{}")
        for command in ("export", await chat(palaver)), ("import", str(path)):
            ended = await palaver(*command, code=1)
            assert "does not export or import chats. Upgrade it where it runs" in ended.err
