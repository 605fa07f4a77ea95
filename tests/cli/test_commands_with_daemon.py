"""The commands against a real daemon, with the simulator as its model."""

from __future__ import annotations

import asyncio
import json
import os
import pty
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from palaver.client import Client
from support.daemon import running_pair
from support.forkserver import ForkedProcess, fork

pytestmark = pytest.mark.process


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


class Shell:
    """Runs `palaver` commands against one daemon."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def start(self, *arguments: str) -> ForkedProcess:
        socket = str(self.client.endpoint.socket)
        return await fork("palaver", "--socket", socket, *arguments, stdout=PIPE)

    async def __call__(self, *arguments: str, code: int = 0) -> Ended:
        process = await self.start(*arguments)
        async with asyncio.timeout(60):
            out, err = await process.communicate()
        assert process.returncode == code, err.decode()
        return Ended(code, out.decode(), err.decode())

    async def at_a_terminal(self, *arguments: str) -> str:
        """Run a command whose standard output is a terminal; return what it shows there."""
        ours, theirs = pty.openpty()
        try:
            socket = str(self.client.endpoint.socket)
            process = await fork("palaver", "--socket", socket, *arguments, stdout=theirs)
            async with asyncio.timeout(60):
                _, err = await process.communicate()
            assert process.returncode == 0, err.decode()
            return os.read(ours, 65536).decode()
        finally:
            os.close(ours)
            os.close(theirs)

    async def lines(self, *arguments: str) -> list[Any]:
        return [json.loads(line) for line in (await self(*arguments, "--json")).out.splitlines()]


@pytest.fixture
async def palaver() -> AsyncIterator[Shell]:
    async with running_pair(rate=200) as (_, client, _):
        yield Shell(client)


async def test_a_conversation_from_the_shell(palaver: Shell) -> None:
    first = (await palaver.lines("run", "hello"))[-1]
    chat = first["chat_id"]
    second = (await palaver.lines("run", "and [[length=20]] again", "--chat", chat))[-1]
    assert (second["chat_id"], second["status"]) == (chat, "finished")
    listed = await palaver.lines("ls")
    assert [(item["id"], item["status"]) for item in listed] == [(chat, "waiting")]
    shown = await palaver.lines("show", chat)
    assert shown[0]["id"] == chat
    assert [message["role"] for message in shown[1:]] == ["user", "assistant"] * 2
    assert shown[2]["parts"][0]["text"] == first["text"]
    assert shown[4]["parts"][0]["text"] == second["text"]
    assert second["text"] in (await palaver("tail", chat, "--until-idle")).out


async def test_files_are_attached_to_messages_and_shown(palaver: Shell, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Blue.")
    path = str(tmp_path / "a.txt")
    chat = (await palaver.lines("run", "[[echo]] one", "--attach", path))[-1]["chat_id"]
    await palaver("send", chat, "[[echo]] two", "-a", path, "-a", path)
    await palaver("tail", chat, "--until-idle")
    shown = await palaver.lines("show", chat)
    files = [part for part in shown[1]["parts"] + shown[3]["parts"] if part["type"] == "file"]
    assert [(file["name"], file["size"]) for file in files] == [("a.txt", 5)] * 2
    assert (await palaver("show", chat)).out.count("[file a.txt (text, 5 bytes)]") == 2
    assert "No such file" in (await palaver("send", chat, "x", "-a", "/no/x", code=1)).err


async def test_a_busy_chat_queues_and_its_queue_can_be_ruled(palaver: Shell) -> None:
    chat = (await palaver("run", "[[length=20000]] hello", "--detach")).out.strip()
    assert "place 1" in (await palaver("send", chat, "two")).err
    assert "place 2" in (await palaver("send", chat, "[[length=5]] three")).err
    queued = await palaver.lines("queue", chat)
    assert [message["content"] for message in queued] == ["two", "[[length=5]] three"]
    removed = await palaver.lines("queue", chat, "--remove", str(queued[0]["id"]))
    assert [message["content"] for message in removed] == ["two"]
    assert "1 queued and held" in (await palaver("stop", chat)).err
    await palaver("queue", chat, "--release")
    await palaver("tail", chat, "--until-idle")
    shown = await palaver.lines("show", chat)
    texts = [message["parts"][0]["text"] for message in shown[1:]]
    assert (texts[0], texts[2]) == ("[[length=20000]] hello", "[[length=5]] three")
    assert shown[2]["finish"] == "interrupted"
    assert "running" in (await palaver("stop", chat)).err


async def test_a_message_steers_a_busy_chat(palaver: Shell) -> None:
    chat = (await palaver("run", "[[length=20000]] hello", "--detach")).out.strip()
    await palaver("send", chat, "later")
    assert "after the tools" in (await palaver("send", chat, "in blue", "--steer")).err
    queued = await palaver.lines("queue", chat)
    assert [message["content"] for message in queued] == ["in blue", "later"]
    assert ["steer_turn" in message for message in queued] == [True, False]
    lines = (await palaver("queue", chat)).out.splitlines()
    assert ["(steers)" in line for line in lines] == [True, False]
    for other in (["--interrupt"], ["--model", "small"]):
        said = (await palaver("send", chat, "x", "--steer", *other, code=2)).err
        assert f"--steer cannot be used with {other[0]}" in said
    await palaver("stop", chat)
    assert "Sent." in (await palaver("send", chat, "[[length=5]] now", "--steer")).err


async def test_a_queued_run_waits_and_prints_its_own_answer(palaver: Shell) -> None:
    chat = (await palaver("run", "[[length=20000]] hello", "--detach")).out.strip()
    process = await palaver.start("run", "[[length=5]] mine", "--chat", chat)
    assert process.stderr is not None
    async with asyncio.timeout(60):
        assert b"waits in its queue" in await process.stderr.readline()
        # The long answer is stopped, and the queue continues.
        await palaver("stop", chat, "--release")
        out, _ = await process.communicate()
    shown = await palaver.lines("show", chat)
    assert process.returncode == 0
    assert out.decode() == shown[-1]["parts"][0]["text"] + "\n"


async def test_a_failed_turn_is_shown_with_its_reason(palaver: Shell) -> None:
    failed = await palaver("run", "[[401]] hello", code=3)
    assert "did not accept the API key" in failed.err
    (chat,) = await palaver.lines("ls")
    assert chat["last_error"]["kind"] == "auth"
    assert "auth" in (await palaver("show", chat["id"])).err
    reason = f"[failed] {chat['last_error']['message']} (auth)"
    tail = await palaver("tail", chat["id"], "--until-idle", code=3)
    assert tail.out.count(chat["last_error"]["message"]) == 1
    await palaver("run", "[[echo]] again", "--chat", chat["id"])
    assert reason in (await palaver("show", chat["id"])).out


async def test_the_doctor_finds_the_daemon_and_its_models(palaver: Shell) -> None:
    findings = await palaver.lines("doctor")
    states = {finding["subject"]: finding["state"] for finding in findings}
    assert (states["connection"], states["model"]) == ("ok", "ok")


async def test_the_doctor_says_what_is_broken() -> None:
    process = await fork("palaver", "--socket", "/nonexistent/s", "doctor", stdout=PIPE)
    out, _ = await process.communicate()
    assert process.returncode == 1
    assert b"!!  connection" in out
