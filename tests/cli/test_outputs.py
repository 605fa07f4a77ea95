"""Standard streams that cannot encode, are full or closed, or stay open: a message, and a code."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path
from typing import Any

import pytest

from cli.test_commands import FINISHED, answering, reply, server, status
from client.protocol_server import ProtocolServer
from palaver.cli.runtime import SILENT_S
from palaver.wire.events import CaughtUp
from support.require import require
from support.tmux import tmux

pytestmark = pytest.mark.process
__all__ = ["server"]  # the fixture

WIDE = "Fine… é 🎉 漢字"
ANSWER = ([status("running")], [reply(WIDE, finish="stop"), status("waiting"), CaughtUp(6)])
CUT = ([status("running")], [reply("Half", finish="length"), status("waiting"), CaughtUp(6)])
# Redirections of the command's streams, for a shell.
FULL, CLOSED = "/dev/full", "&-"
# Streams keep what they could not write, as they do for users: it fails again at exit.
BUFFERED = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}


async def palaver(
    server: ProtocolServer,
    *arguments: str,
    out: str = "",
    err: str = "",
    stdin: int = DEVNULL,
    **env: str,
) -> asyncio.subprocess.Process:
    """Start a command in its own interpreter, which chooses its streams' encoding at start."""
    redirected = (f" >{out}" if out else "") + (f" 2>{err}" if err else "")
    command = [sys.executable, "-m", "palaver", "--socket", str(server.endpoint.socket)]
    return await asyncio.create_subprocess_exec(
        *("sh", "-c", f'exec "$@"{redirected}', "sh", *command, *arguments),
        stdin=stdin,
        stdout=PIPE,
        stderr=PIPE,
        env={**BUFFERED, **env},
    )


async def ended(process: asyncio.subprocess.Process) -> tuple[int | None, str, str]:
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert b"Traceback" not in err
    assert b"Internal error" not in err
    return process.returncode, (out or b"").decode(), err.decode()


ENCODINGS: list[tuple[dict[str, str], str]] = [
    ({"PYTHONIOENCODING": "ascii"}, r"Fine\u2026 \xe9 \U0001f389 \u6f22\u5b57"),
    ({"PYTHONIOENCODING": "latin-1:strict"}, "Fine\\u2026 é \\U0001f389 \\u6f22\\u5b57"),
    (
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        r"Fine\u2026 \xe9 \U0001f389 \u6f22\u5b57",
    ),
]


@pytest.mark.parametrize(("env", "text"), ENCODINGS)
async def test_what_cannot_be_encoded_is_written_otherwise_and_said(
    server: ProtocolServer, env: dict[str, Any], text: str
) -> None:
    server.conversations.append(answering(*ANSWER))
    process = await palaver(server, "run", "hello", **env)
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert out.decode("latin-1").rstrip("\n") == text
    assert process.returncode == 1
    [sentence] = err.decode("latin-1").splitlines()
    assert sentence.startswith("palaver: Standard output takes ")
    assert "PYTHONIOENCODING=utf-8" in sentence


@pytest.mark.parametrize("env", [env for env, _text in ENCODINGS])
async def test_json_loses_nothing_in_any_encoding(
    server: ProtocolServer, env: dict[str, Any]
) -> None:
    server.conversations.append(answering(*ANSWER))
    code, out, err = await ended(await palaver(server, "run", "hello", "--json", **env))
    assert (code, err) == (0, "")
    assert json.loads(out.splitlines()[-1])["text"] == WIDE


async def test_in_the_locale_c_everything_is_written(server: ProtocolServer) -> None:
    server.conversations.append(answering(*ANSWER))
    process = await palaver(server, "run", "hello", LC_ALL="C", LANG="C")
    assert await ended(process) == (0, f"{WIDE}\n", "")


@pytest.mark.parametrize(
    ("out", "sentence"),
    [
        (FULL, "Standard output could not be written: No space left on device."),
        (CLOSED, "Standard output is closed"),
    ],
)
@pytest.mark.parametrize(
    "arguments", [["run", "hello"], ["run", "hello", "--json"], ["run", "hello", "-d"], ["ls"]]
)
async def test_an_output_that_takes_nothing_is_told_and_where_the_answer_is(
    server: ProtocolServer, arguments: list[str], out: str, sentence: str
) -> None:
    server.conversations.append(answering(*FINISHED))
    code, _, err = await ended(await palaver(server, *arguments, out=out))
    assert code == 1
    assert f"palaver: {sentence}" in err
    assert ("palaver show c1" in err) == (arguments[0] == "run")


async def test_help_that_cannot_be_written_is_told(server: ProtocolServer) -> None:
    code, _, err = await ended(await palaver(server, "--help", out=FULL))
    assert code == 1
    assert err == "palaver: Standard output could not be written: No space left on device.\n"


async def test_an_answer_that_nobody_reads_goes_on_elsewhere(server: ProtocolServer) -> None:
    server.conversations.append(answering(*FINISHED))
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "palaver", "--socket", str(server.endpoint.socket)]
    process = await asyncio.create_subprocess_exec(
        *command, "run", "hello", stdin=DEVNULL, stdout=writing, stderr=PIPE, env=BUFFERED
    )
    os.close(writing)
    code, _, err = await ended(process)
    assert code == 141
    assert err == "Chat c1 goes on; to see it:  palaver show c1\n"


@pytest.mark.parametrize("err", [FULL, CLOSED])
@pytest.mark.parametrize(("frames", "code"), [(ANSWER, 0), (CUT, 5)])
async def test_who_cannot_be_told_gets_the_answer_and_the_code(
    server: ProtocolServer, frames: Any, code: int, err: str
) -> None:
    server.conversations.append(answering(*frames))
    found, out, _ = await ended(await palaver(server, "run", "hello", err=err))
    assert found == code
    assert out.strip() in (WIDE, "Half")
    assert (await ended(await palaver(server, "rnu", err=err)))[0] == 2


@pytest.mark.parametrize("arguments", [["run", "hello"], ["send", "c1", "hello"], ["run"]])
async def test_a_pipe_that_stays_open_is_spoken_of_and_then_read(
    server: ProtocolServer, arguments: list[str]
) -> None:
    asked = arguments[-1] == "hello"
    assert SILENT_S <= 1.0
    server.conversations.append(answering(*FINISHED))
    process = await palaver(server, *arguments, stdin=PIPE)
    assert process.stderr is not None
    assert process.stdin is not None
    async with asyncio.timeout(60):
        said = await process.stderr.readline()
        assert said.startswith(b"Waiting for the end of standard input")
        assert (b"</dev/null" in said) == asked  # it could do without it
        process.stdin.write(b"and more\n")
        process.stdin.close()
        await process.wait()
    [content] = [body["content"] for *_, body in server.requests if body and "content" in body]
    assert content == ("hello\n\nand more" if asked else "and more")


async def test_waiting_for_a_pipe_can_be_left(server: ProtocolServer) -> None:
    process = await palaver(server, "run", "hello", stdin=PIPE)
    assert process.stderr is not None
    async with asyncio.timeout(60):
        await process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 130
    assert server.requests == []


async def test_a_command_without_standard_input_begins_at_once(server: ProtocolServer) -> None:
    server.conversations.append(answering(*ANSWER))
    command = [sys.executable, "-m", "palaver", "--socket", str(server.endpoint.socket)]
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", 'exec "$@" <&-', "sh", *command, "run", "hello"), stdout=PIPE, stderr=PIPE
    )
    assert await ended(process) == (0, f"{WIDE}\n", "")


@pytest.mark.parametrize("stdin", ["echo hello |", "yes |", "</dev/null", "<&-"])
def test_the_interface_takes_keys_from_the_terminal(tmp_path: Path, stdin: str) -> None:
    require("tmux")
    pipe, redirect = (stdin, "") if stdin.endswith("|") else ("", stdin)
    program = f"{sys.executable} -m palaver --data-dir {tmp_path} --socket {tmp_path}/none"
    command = f'{pipe} {program} {redirect}; echo "ended with $?"; sleep 60'
    with tmux(tmp_path, f"sh -c '{command}'", (80, 24)) as pane:
        pane.until(lambda: "❯" in "".join(pane.rows()), "no interface")
        pane("send-keys", "-l", "typed")
        pane.until(lambda: "❯ typed" in "".join(pane.rows()), "no key arrived")
        pane("send-keys", "C-u", "C-q")
        pane.until(lambda: "ended with 0" in "".join(pane.rows()), "it did not end")
        assert "Standard input is not read" in "".join(pane.rows())


@pytest.mark.parametrize("command", ["palaver", "palaver attach c1", "palaver demo"])
async def test_without_any_terminal_the_interface_says_so(
    server: ProtocolServer, command: str
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "palaver", "--socket", str(server.endpoint.socket)),
        *command.split()[1:],
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        start_new_session=True,
    )
    code, out, err = await ended(process)
    assert (code, out) == (1, "")
    assert err.startswith("palaver: The interface needs a terminal")
