"""The commands as a user runs them: processes, pipes and exit codes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from aiohttp import web

from client.protocol_server import (
    INFO,
    WHEN,
    ProtocolServer,
    answer,
    chat,
    cut,
    listen,
    protocol_server,
    refusal,
    say,
    versions,
)
from palaver.wire.chats import ChatPage, Interrupted, RetryInfo, Sent
from palaver.wire.errors import ChatError
from palaver.wire.events import (
    CaughtUp,
    ErrorEvent,
    MessageEvent,
    MessagePartEvent,
    PreviewReset,
    RetryEvent,
    StatusEvent,
)
from palaver.wire.messages import Failure, Message, QueuedMessage, Text, Usage
from palaver.wire.protocol import MESSAGE_KEYS
from support.forkserver import ForkedProcess, fork

pytestmark = pytest.mark.process

API = "/api/v1"
QUESTION = Message(10, "user", [Text("hello")], 4, WHEN)
OVERLOADED = ChatError("overloaded", "Simulator is overloaded.", status_code=529, retryable=True)


def every_field(**fields: Any) -> dict[str, Any]:
    """A structured error with all fields: a script compares with false and null."""
    found: dict[str, Any] = msgspec.to_builtins(ChatError("generic", ""))
    return found | fields


def status(word: str) -> StatusEvent:
    return StatusEvent(word, versions(), "t", model="sonnet")  # type: ignore[arg-type]


def live(text: str, offset: int = 0, episode: str = "3.1") -> MessagePartEvent:
    return MessagePartEvent(episode, 0, offset, "text", text)


def reply(text: str, **more: Any) -> MessageEvent:
    message = Message(11, "assistant", [Text(text)], 6, WHEN, model="sonnet", **more)
    return MessageEvent(message, replaces="3.1")


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


async def start(server: ProtocolServer, *arguments: str, **how: Any) -> ForkedProcess:
    return await fork(
        *("palaver", "--socket", str(server.endpoint.socket), *arguments),
        stdin=how.get("stdin", asyncio.subprocess.DEVNULL),
        stdout=asyncio.subprocess.PIPE,
        environment={**os.environ, **how.get("env", {})},
    )


async def palaver(server: ProtocolServer, *arguments: str, piped: str | None = None) -> Ended:
    stdin = asyncio.subprocess.DEVNULL if piped is None else asyncio.subprocess.PIPE
    process = await start(server, *arguments, stdin=stdin)
    async with asyncio.timeout(30):
        out, err = await process.communicate(piped.encode() if piped is not None else None)
    assert process.returncode is not None
    assert b"Traceback" not in err, err
    return Ended(process.returncode, out.decode(), err.decode())


@pytest.fixture
async def server() -> AsyncIterator[ProtocolServer]:
    async def create(_: web.Request) -> web.Response:
        return answer(Sent(chat(status="running"), message=QUESTION), 201)

    async def chats(_: web.Request) -> web.Response:
        # With any query: an older daemon does not know `prefix`.
        return answer(ChatPage([chat()]))

    async with protocol_server() as running:
        running.routes["POST", f"{API}/chats"] = create
        running.routes["GET", f"{API}/chats"] = chats
        yield running


def answering(*frames: list[Any]) -> Any:
    async def conversation(socket: web.WebSocketResponse) -> None:
        for frame in frames:
            await say(socket, *frame)
        await listen(socket)

    return conversation


FINISHED = (
    [MessageEvent(QUESTION), status("running"), CaughtUp(4)],
    [live("Hel")],
    [live("lo", 3)],
    [reply("Hello.", usage=Usage(3, 5), finish="stop"), status("waiting"), CaughtUp(6)],
)


async def test_run_prints_the_answer_and_nothing_else(server: ProtocolServer) -> None:
    server.conversations.append(answering(*FINISHED))
    assert await palaver(server, "run", "hello", "--model", "m") == Ended(0, "Hello.\n", "")
    assert server.requests[0][4] == {"content": "hello", "model": "m"}


async def test_run_doubts_an_answer_that_nobody_said_is_whole(server: ProtocolServer) -> None:
    frames = [status("running")], [reply("Hi", finish="unknown"), status("waiting"), CaughtUp(6)]
    server.conversations.append(answering(*frames))
    ended = await palaver(server, "run", "hello")
    assert (ended.code, ended.out) == (0, "Hi\n")
    assert ended.err == "palaver: The provider did not say that this is the whole answer.\n"


async def test_run_appends_what_is_piped_in(server: ProtocolServer) -> None:
    server.conversations.append(answering(*FINISHED))
    await palaver(server, "run", "Review:", piped="a\nb\n")
    assert server.requests[0][4] == {"content": "Review:\n\na\nb"}


async def test_run_json_prints_the_events_and_a_result_line(server: ProtocolServer) -> None:
    server.conversations.append(answering(*FINISHED))
    ended = await palaver(server, "run", "hello", "--json")
    sent = [json.loads(json.dumps(event)) for event in as_plain(FINISHED)]
    assert (ended.code, ended.err) == (0, "")
    assert ended.lines[:-1] == sent
    assert ended.lines[-1] == {
        "type": "result",
        "chat_id": "c1",
        "status": "finished",
        "finish": "stop",
        "text": "Hello.",
        "usage": {"input_tokens": 3, "output_tokens": 5},
        "error": None,
        "asked": [],
    }


def as_plain(frames: Any) -> list[Any]:
    return [json.loads(msgspec.json.encode(event)) for frame in frames for event in frame]


async def test_run_goes_on_after_a_lost_connection(server: ProtocolServer) -> None:
    async def broken(socket: web.WebSocketResponse) -> None:
        await say(socket, *FINISHED[0], live("Hel"))
        await cut(socket)

    server.conversations += [
        broken,
        answering([live("lo", 3), CaughtUp(4)], FINISHED[-1]),
    ]
    ended = await palaver(server, "run", "hello")
    assert (ended.code, ended.out) == (0, "Hello.\n")
    assert ended.err == "Connection lost: the connection was closed. Trying again …\n"


async def test_run_tells_of_a_retry_on_stderr(server: ProtocolServer) -> None:
    retry = RetryEvent(RetryInfo(1, 10, 1500, WHEN, OVERLOADED))
    frames = (FINISHED[0], [live("Hel"), retry, PreviewReset("3.2")], FINISHED[-1])
    server.conversations.append(answering(*frames))
    ended = await palaver(server, "run", "hello")
    assert (ended.code, ended.out) == (0, "Hel\nlo.\n")
    assert ended.err.startswith("Simulator is overloaded. (attempt 1 of 10 failed, next in 1.5 s)")


async def test_run_counts_no_attempts_while_a_model_is_loaded(server: ProtocolServer) -> None:
    loading = ChatError("loading", "Simulator is loading the model x.", retryable=True)
    retry = RetryEvent(RetryInfo(1, 10, 5000, WHEN, loading))
    server.conversations.append(answering(*(FINISHED[0], [retry], FINISHED[-1])))
    ended = await palaver(server, "run", "hello")
    assert ended.err.startswith("Simulator is loading the model x. (asked again in 5.0 s)\n")


ERROR = ChatError("auth", "Simulator did not accept the key.", provider="sim", status_code=401)
FAILED = ([*FINISHED[0]], [status("error"), ErrorEvent(ERROR), CaughtUp(6)])


async def test_run_ends_with_three_and_a_sentence_when_the_chat_has_an_error(
    server: ProtocolServer,
) -> None:
    server.conversations.append(answering(*FAILED))
    ended = await palaver(server, "run", "hello")
    assert ended == Ended(
        3,
        "",
        "palaver: Simulator did not accept the key. (kind auth, provider sim, status 401)\n",
    )


async def test_run_json_ends_with_the_structured_error(server: ProtocolServer) -> None:
    server.conversations.append(answering(*FAILED))
    ended = await palaver(server, "run", "hello", "--json")
    assert ended.code == 3
    result = ended.lines[-1]
    assert (result["type"], result["status"]) == ("result", "error")
    assert result["error"] == every_field(**msgspec.to_builtins(ERROR))
    assert result["error"]["retryable"] is False
    told = next(line for line in ended.lines if line["type"] == "error")
    assert told["error"] == result["error"]


async def test_run_ends_with_four_when_an_approval_is_needed(server: ProtocolServer) -> None:
    server.conversations.append(answering([*FINISHED[0]], [status("requires_action"), CaughtUp(6)]))
    ended = await palaver(server, "run", "hello")
    assert (ended.code, "palaver attach c1" in ended.err) == (4, True)


async def test_the_first_ctrl_c_stops_the_answer_and_prints_what_was_saved(
    server: ProtocolServer,
) -> None:
    stopped = asyncio.Event()

    async def interrupt(_: web.Request) -> web.Response:
        stopped.set()
        return answer(Interrupted(chat(status="interrupting"), changed=True))

    async def conversation(socket: web.WebSocketResponse) -> None:
        await say(socket, *FINISHED[0], live("Hel"))
        await stopped.wait()
        await say(socket, reply("Hell", finish="interrupted"), status("waiting"), CaughtUp(6))
        await listen(socket)

    server.routes["POST", f"{API}/chats/c1/interrupt"] = interrupt
    server.conversations.append(conversation)
    process = await start(server, "run", "hello")
    assert process.stdout is not None
    assert await process.stdout.readexactly(3) == b"Hel"
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    assert (process.returncode, out) == (130, b"l\n")
    assert b"interrupted" in err
    assert server.requests[-1][4] == {"turn_version": 2}


async def test_the_second_ctrl_c_leaves_at_once(server: ProtocolServer) -> None:
    asked = asyncio.Event()

    async def interrupt(_: web.Request) -> web.Response:
        asked.set()
        return answer(Interrupted(chat(status="interrupting"), changed=True))

    server.routes["POST", f"{API}/chats/c1/interrupt"] = interrupt
    server.conversations.append(answering([*FINISHED[0], live("Hel")]))
    process = await start(server, "run", "hello")
    assert process.stdout is not None
    await process.stdout.readexactly(3)
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(30):
        await asked.wait()
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
    assert process.returncode == 130
    assert b"goes on without this command" in err


async def test_a_queued_run_whose_daemon_does_not_tell_its_answer_apart_says_so(
    server: ProtocolServer,
) -> None:
    """An older daemon's messages have no ids of the queue: any of them might be the right one."""
    older = [name for name in INFO.capabilities if name != MESSAGE_KEYS]

    async def info(_: web.Request) -> web.Response:
        return answer(msgspec.structs.replace(INFO, capabilities=older))

    async def send(_: web.Request) -> web.Response:
        queued = QueuedMessage(1, 0, "hello", WHEN)
        return answer(Sent(chat(status="running"), queued=queued))

    server.routes["GET", f"{API}/info"] = info
    server.routes["POST", f"{API}/chats/c1/messages"] = send
    ended = await palaver(server, "run", "hello", "--chat", "c1")
    assert (ended.code, ended.out) == (1, "")
    assert "waits in the queue of chat c1" in ended.err
    assert "palaver tail c1" in ended.err


async def test_run_detach_prints_the_id_and_leaves(server: ProtocolServer) -> None:
    assert await palaver(server, "run", "hello", "--detach") == Ended(0, "c1\n", "")


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (
            ["run", "hello", "--chat", "nope"],
            1,
            "palaver: There is no chat nope, and none whose id",
        ),
        (["tail", "nope"], 1, "palaver: There is no chat nope, and none whose id"),
        (["tail", ""], 1, "palaver: There is no chat ''."),
        (["doctor", "--jsn"], 2, "--json"),
        (["run", ""], 2, "nothing to ask"),
        (["run", "  "], 2, "nothing to ask"),
        (["rnu"], 2, "There is no command 'rnu'. Did you mean 'palaver run'?"),
        (["LS"], 2, "Did you mean 'palaver ls'?"),
        (["xyzzy"], 2, "There is no command 'xyzzy'.\n"),
        (["Why is it so?"], 2, "palaver run 'Why is it so?'"),
        ([], 1, "palaver: The interface needs a terminal, and standard input, output and error"),
        (["attach", "c1"], 1, "palaver: The interface needs a terminal"),
        (["demo"], 1, "palaver: The interface needs a terminal"),
    ],
)
async def test_what_cannot_be_done_is_said_in_a_sentence(
    server: ProtocolServer, arguments: list[str], code: int, sentence: str
) -> None:
    ended = await palaver(server, *arguments)
    assert (ended.code, ended.out) == (code, "")
    assert sentence in ended.err


async def test_run_json_says_that_it_was_refused_in_its_last_line(server: ProtocolServer) -> None:
    async def create(_: web.Request) -> web.Response:
        return refusal(413, "too_large", "A message may have 1 MiB.")

    server.routes["POST", f"{API}/chats"] = create
    ended = await palaver(server, "run", "hello", "--json")
    assert ended.code == 1
    assert ended.lines == [
        {
            "type": "result",
            "chat_id": None,
            "status": "failed",
            "finish": None,
            "text": "",
            "usage": None,
            "error": every_field(
                kind="generic", code="too_large", message="A message may have 1 MiB."
            ),
            "asked": [],
        }
    ]


async def test_ls_prints_the_words_of_people_and_its_json_those_of_the_wire(
    server: ProtocolServer,
) -> None:
    async def chats(_: web.Request) -> web.Response:
        return answer(ChatPage([chat(status="waiting"), chat(id="c2", status="error")]))

    server.routes["GET", f"{API}/chats"] = chats
    plain = await palaver(server, "ls")
    assert [line.split()[1] for line in plain.out.splitlines()] == ["idle", "failed"]
    as_json = await palaver(server, "ls", "--json")
    assert [line["status"] for line in as_json.lines] == ["waiting", "error"]


async def test_ls_prints_all_pages_up_to_its_limit(server: ProtocolServer) -> None:
    async def chats(request: web.Request) -> web.Response:
        second = "cursor" in request.query
        title = "second\nline \x1b[31m" if second else "first"
        return answer(ChatPage([chat(title=title)], None if second else "next"))

    server.routes["GET", f"{API}/chats"] = chats
    ended = await palaver(server, "ls")
    assert ended.code == 0
    titles = [line.split("  ", 3)[-1] for line in ended.out.splitlines()]
    assert [title.split("  ")[-1] for title in titles] == ["first", "second line ␛[31m"]
    assert [request[2] for request in server.requests] == [
        {"limit": "50"},
        {"limit": "49", "cursor": "next"},
    ]
    assert [line["title"] for line in (await palaver(server, "ls", "--json")).lines] == [
        "first",
        "second\nline \x1b[31m",
    ]


async def test_tail_shows_the_end_of_a_chat_and_what_comes(server: ProtocolServer) -> None:
    old = [Message(n, "user", [Text(f"m{n}")], 4, WHEN) for n in (3, 2, 1)]
    first = [*(MessageEvent(message) for message in old), status("running"), CaughtUp(4)]
    server.conversations.append(answering(first, [live("Hel")], FINISHED[-1]))
    ended = await palaver(server, "tail", "c1", "--messages", "2", "--until-idle")
    assert ended.code == 0
    lines = [line for line in ended.out.splitlines() if line]
    assert [line for line in lines if " · " not in line] == ["m2", "m3", "sonnet", "Hello."]


async def test_tail_tells_of_a_failure_once_also_when_history_does_not(
    server: ProtocolServer,
) -> None:
    marked = Message(2, "system", [Failure(OVERLOADED)], 5, WHEN)
    for known in ([], [MessageEvent(marked)]):  # an older daemon stores it with the chat only
        begun = [MessageEvent(Message(1, "user", [Text("hi")], 4, WHEN)), status("running")]
        ended = [*known, status("error"), ErrorEvent(OVERLOADED), CaughtUp(5)]
        server.conversations.append(answering([*begun, CaughtUp(4)], [live("Hel")], ended))
        tail = await palaver(server, "tail", "c1", "--until-idle")
        assert tail.code == 3
        assert tail.out.count(OVERLOADED.message) == 1
        assert "Hel\n" in tail.out


async def test_output_that_nobody_reads_ends_quietly(server: ProtocolServer) -> None:
    async def chats(_: web.Request) -> web.Response:
        return answer(ChatPage([chat(title="x" * 100)] * 50, "more"))

    server.routes["GET", f"{API}/chats"] = chats
    process = await start(server, "ls", "--all")
    assert process.stdout is not None
    await process.stdout.readline()
    process.stop_reading()
    async with asyncio.timeout(30):
        assert process.stderr is not None
        err = await process.stderr.read()
        code = await process.wait()
    assert (code, err) == (141, b"")
