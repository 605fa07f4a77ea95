"""Every example of docs/api.md is run with a real daemon, and its tables are those of the code."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any, get_args

import jsonschema_rs
import pytest
from aiohttp import WSCloseCode

from api_page.page import (
    Answer,
    Command,
    Program,
    Scene,
    Variable,
    differs,
    expected,
    lines_differ,
    steps,
    table,
)
from api_page.scenes import SCENES, Place
from palaver.wire.bounds import FILES_BYTES, FILES_LIMIT
from palaver.wire.chats import QUEUE_LIMIT, TITLE_LIMIT
from palaver.wire.events import Heartbeat, StreamEvent, WatchEvent
from palaver.wire.exports import IMPORT_LIMIT, IMPORT_MESSAGES
from palaverd.api import limits
from palaverd.api.openapi import document
from palaverd.api.problem_kinds import KINDS
from support.chats import reaches
from support.daemon import running_pair
from support.require import require
from support.routes import DECLARED, route_of

DOCUMENT: dict[str, Any] = document(DECLARED)
# Shows the status and the headers, and after the body which request it was.
CURL = """curl() { command curl -sS -i -w $'\\n\\x1e%{method} %{url_effective}' "$@"; }; """


class Reader:
    """Someone who does what the page says, in order."""

    def __init__(self, place: Place, folder: Path) -> None:
        self.place = place
        self.folder = folder
        self.variables: dict[str, str] = {}
        self.samples: dict[str, str] = {}  # ids that the page shows, and the real ones
        self.asked: set[tuple[str, str]] = set()
        self.status, self.headers, self.body = 0, {}, ""  # type: tuple[int, dict[str, str], str]

    async def run(self, command: str) -> None:
        """Run a command, and keep its answer."""
        if named := re.fullmatch(r"SOCKET=.*", command):
            assert str(self.place.daemon.socket).endswith(named[0].rpartition("/")[2])
            return
        process = await asyncio.create_subprocess_exec(
            *("bash", "-c", CURL + command),
            cwd=self.folder,
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(60):
            said, wrong = await process.communicate()
        assert process.returncode == 0, f"{command}\n{said.decode()}\n{wrong.decode()}"
        if not command.startswith("curl "):
            self.body = said.decode()
            return
        answer, _, request = said.decode().rpartition("\n\x1e")
        head, _, self.body = answer.partition("\r\n\r\n")
        lines = head.split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])
        }
        self.check_documented(*request.split(" ", 1))

    @property
    def environment(self) -> dict[str, str]:
        programs = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
        socket = str(self.place.daemon.socket)
        return {**os.environ, "PATH": programs, "SOCKET": socket, **self.variables}

    def check_documented(self, method: str, url: str) -> None:
        """Check the answer with the OpenAPI document, and note its route."""
        path = "/" + url.split("?")[0].split("/", 3)[3]
        route = route_of(method, path)
        self.asked.add((route.method, route.path))
        responses = DOCUMENT["paths"][route.path][method.lower()]["responses"]
        response = responses[str(self.status)]
        if "$ref" in response:
            response = DOCUMENT["components"]["responses"][response["$ref"].rpartition("/")[2]]
        if "content" not in response:
            assert self.body == ""
            return
        (kind,) = self.headers["content-type"].split(";")[:1]
        schema = response["content"][kind].get("schema")
        if schema is not None:
            whole = {**schema, "components": DOCUMENT["components"]}
            jsonschema_rs.validate(whole, json.loads(self.body))

    def bind(self, variable: Variable) -> None:
        """Set a variable to a part of the last answer."""
        value = json.loads(self.body)
        for name in variable.place.split("."):
            value = value[int(name) if name.isdigit() else name]
        self.variables[variable.name] = str(value)
        self.samples[variable.sample] = str(value)

    def compare(self, answer: Answer) -> str | None:
        """Return how the last answer differs from the one on the page."""
        text = answer.text
        for sample, real in self.samples.items():
            text = re.sub(rf"(?<!\w){re.escape(sample)}(?!\w)", real, text)
        if answer.language == "text":
            return lines_differ(text, self.body)
        status = 200
        if answer.language == "http":
            head, _, text = text.partition("\n\n")
            first, *headers = head.splitlines()
            status = int(first.split()[1])
            for name, value in (line.split(": ") for line in headers):
                if self.headers.get(name.lower()) != value:
                    return f"{name} is {self.headers.get(name.lower())}"
        if self.status != status:
            return f"the status is {self.status}: {self.body}"
        if not text.strip():
            return None if self.body == "" else f"there is a body: {self.body}"
        return differs(expected(text), json.loads(self.body))


async def test_every_example_is_true_and_every_route_has_one(tmp_path: Path) -> None:
    require("curl")
    wrong: list[str] = []
    async with running_pair() as (daemon, client, _simulator):
        reader, last = Reader(Place(daemon, client), tmp_path), ""
        page = list(steps())
        for number, step in enumerate(page):
            match step:
                case Scene(variable, "rests"):
                    await reaches(client, reader.variables[variable], "waiting")
                case Scene(variable, state):
                    reader.variables[variable] = await SCENES[state](reader.place)
                case Program(name, text):
                    (tmp_path / name).write_text(text, encoding="utf-8")
                case Command(text):
                    last = text
                    await reader.run(text)
                case Variable():
                    reader.bind(step)
                case Answer():
                    # The reader takes an id from the answer, in which the page shows a sample.
                    for later in takewhile(lambda x: isinstance(x, Variable), page[number + 1 :]):
                        assert isinstance(later, Variable)
                        reader.bind(later)
                    if (difference := reader.compare(step)) is not None:
                        wrong.append(f"$ {last}\n{difference}")
    assert not wrong, "\n\n".join(wrong)
    sockets = {(one.method, one.path) for one in DECLARED if one.events is not None}
    assert reader.asked | sockets == {(one.method, one.path) for one in DECLARED}


def test_the_table_of_problems_is_that_of_the_code() -> None:
    rows = table("code")
    assert {code.strip("`"): statuses for code, statuses, *_ in rows} == {
        code: ", ".join(map(str, kind.statuses)) for code, kind in KINDS.items()
    }
    assert all(len(row) == 3 and row[2] for row in rows)


def test_the_tables_of_events_have_all_of_them() -> None:
    def tags(union: Any) -> set[str]:
        return {one.__struct_config__.tag for one in get_args(union)}

    assert {row[0].strip("`") for row in table("event of a chat")} == tags(StreamEvent | Heartbeat)
    assert {row[0].strip("`") for row in table("event of the list")} == tags(WatchEvent | Heartbeat)


def test_the_table_of_close_codes_has_all_of_them() -> None:
    codes = {value for name, value in vars(limits).items() if name.startswith("CLOSE_")}
    # aiohttp's, for what a client sends (RFC 6455, 7.4.1)
    codes |= {WSCloseCode.PROTOCOL_ERROR, WSCloseCode.INVALID_TEXT, WSCloseCode.MESSAGE_TOO_BIG}
    assert {int(row[0]) for row in table("close code")} == codes


def test_the_limits_are_those_of_the_code() -> None:
    shown: Mapping[str, str] = {row[0]: row[1] for row in table("limit")}
    assert shown == {
        "body of a request": f"{limits.BODY_LIMIT // 2**20} MiB",
        "time for a body to arrive": f"{limits.BODY_S:g} s",
        "address, and each header": "8190 bytes",
        "idempotency key": f"{limits.KEY_LIMIT} characters",
        "title": f"{TITLE_LIMIT} characters",
        "messages in a queue": str(QUEUE_LIMIT),
        "files of a message": f"{FILES_LIMIT}, of {FILES_BYTES // 2**20} MiB together",
        "page of chats": f"{limits.LIST_LIMIT}, by default {limits.CHATS_PAGE}",
        "page of messages": f"{limits.MESSAGES_LIMIT}, by default {limits.MESSAGES_PAGE}",
        "page of a search": f"{limits.SEARCH_LIMIT}, by default {limits.SEARCH_PAGE}",
        "import": f"{IMPORT_LIMIT // 2**20} MiB and {IMPORT_MESSAGES} messages",
        "chats in the first frame of the list": str(limits.WATCH_PAGE),
        "open connections": str(limits.CONNECTIONS),
        "open streams of one user": str(limits.STREAMS_PER_OWNER),
        "frame from a client": f"{limits.INCOMING_FRAME_LIMIT // 1024} KiB",
        "time between requests of a connection": f"{limits.IDLE_S:g} s",
        "heartbeat": f"every {limits.HEARTBEAT_S:g} s",
        "a stream that reads nothing": f"{limits.SEND_STALL_S:g} s",
    }


@pytest.mark.parametrize(
    ("wanted", "got", "same"),
    [
        ('{"a": 1, …}', {"a": 1, "b": 2}, True),
        ('{"a": 1}', {"a": 1, "b": 2}, False),
        ('{"a": …}', {"a": [1, 2]}, True),
        ('{"a": "…"}', {}, False),
        ('{"a": true}', {"a": 1}, False),
        ("[1, …]", [1, 2, 3], True),
        ("[1]", [1, 2], False),
        ('{"a": {"b": [{"c": 1, …}], …}}', {"a": {"b": [{"c": 2}]}}, False),
    ],
)
def test_what_is_left_out_may_be_anything_and_the_rest_must_be_as_shown(
    wanted: str, got: Any, same: bool
) -> None:
    assert (differs(expected(wanted), got) is None) == same


def test_lines_are_compared_in_their_order() -> None:
    assert lines_differ("a\n…\nc …\n", "a\nb\nb\nc d\n") is None
    assert lines_differ("a\nc\n", "a\nb\nc\n")
    assert lines_differ("a\n", "a\nb\n")
    assert lines_differ('{"x": 1, …}\n', '{"x": 1, "y": 2}\n') is None
