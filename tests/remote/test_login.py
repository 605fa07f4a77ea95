"""`palaver login`, as processes against a TLS server that requires a token."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from client.protocol_server import WHEN, ProtocolServer, answer, chat, protocol_server, refusal
from palaver.wire.chats import ChatPage, Info
from support.certificates import Authority
from support.clock import PATIENCE_S
from support.forkserver import fork

pytestmark = pytest.mark.process

API = "/api/v1"
TOKEN = "palaver_ab12_" + "s" * 43
OTHER = "palaver_cd34_" + "t" * 43
INFO = Info("0.1.0", 7, WHEN, "/srv/palaver", ["stream", "watch"], user="ada", host="box")


@dataclass
class Box:
    """A server that accepts `tokens`, and a laptop with its own home directory."""

    server: ProtocolServer
    folder: Path
    authority: Authority
    tokens: set[str] = field(default_factory=lambda: {TOKEN})

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server.port}"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "PALAVER_DATA_DIR": str(self.folder / "data"),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        }

    async def palaver(
        self, *arguments: str, piped: str | None = None, code: int = 0, ca: bool = True, **env: str
    ) -> tuple[str, str]:
        trust = ("--ca-file", str(self.authority.file)) if ca else ()
        process = await fork(
            *("palaver", *trust, *arguments),
            stdin=asyncio.subprocess.DEVNULL if piped is None else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            environment=self.environment | env,
        )
        async with asyncio.timeout(PATIENCE_S):
            out, err = await process.communicate(piped.encode() if piped is not None else None)
        said = out.decode(), err.decode()
        assert process.returncode == code, said
        assert TOKEN not in said[0] + said[1]
        return said

    def written(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Box]:
    authority = Authority(tmp_path)
    async with protocol_server(authority.context()) as server:
        found = Box(server, tmp_path, authority)

        def let_in(value: Any) -> Any:
            async def route(request: web.Request) -> web.Response:
                given = request.headers.get("Authorization", "")
                if given.removeprefix("Bearer ") in found.tokens:
                    return answer(value)
                return refusal(401, "unauthenticated", "The token has expired.")

            return route

        server.routes["GET", f"{API}/info"] = let_in(INFO)
        server.routes["GET", f"{API}/chats"] = let_in(ChatPage([chat()]))
        yield found


async def test_a_token_that_is_piped_in_is_checked_kept_and_used(box: Box) -> None:
    _, err = await box.palaver("--server", box.url, "ls", code=1)
    assert err == f"palaver: {box.url} wants a token. Log in with  palaver login {box.url}\n"
    _, err = await box.palaver("login", box.url, piped=f"{TOKEN}\n")
    assert err.startswith(f"{box.url} lets you in as ada. The token is in {box.folder}/config/")
    assert "It is not in the keyring: there is none that works here." in err
    out, err = await box.palaver("--server", box.url, "ls")
    assert out.startswith("c1")
    assert err == ""
    # The token is sent in its header, and nowhere else.
    assert not any(TOKEN in request[1] + str(request[2]) for request in box.server.requests)
    out, _ = await box.palaver("servers", "--json", ca=False)
    assert json.loads(out) == {"address": box.url, "name": None, "token": "file"}
    _, err = await box.palaver("logout", box.url, ca=False)
    assert "is forgotten here" in err
    await box.palaver("--server", box.url, "ls", code=1)


async def test_a_token_that_is_not_taken_is_not_kept(box: Box) -> None:
    _, err = await box.palaver("login", box.url, piped=OTHER, code=1)
    assert err == (
        f"palaver: {box.url} does not accept this token: The token has expired."
        " Nothing was stored.\n"
    )
    assert not (box.folder / "config").exists()
    # An invalid token is not even sent.
    asked = len(box.server.requests)
    _, err = await box.palaver("login", box.url, piped="sk-ant-hunter2", code=1)
    assert "not a token of Palaver's" in err
    assert "hunter2" not in err
    assert len(box.server.requests) == asked


async def test_a_token_that_is_typed_is_not_shown(box: Box) -> None:
    ours, theirs = pty.openpty()
    process = await fork(
        *("palaver", "login", box.url, "--ca-file", str(box.authority.file)),
        stdin=theirs,
        stdout=theirs,
        environment=box.environment,
    )
    try:
        assert process.stderr is not None
        async with asyncio.timeout(PATIENCE_S):
            asked = await process.stderr.readuntil(b": ")  # echo is off by now
            assert asked.decode() == f"Token for {box.url}: "
            os.write(ours, f"{TOKEN}\n".encode())
            err = await process.stderr.read()
            await process.wait()
        os.write(theirs, b"|")  # after whatever was echoed
        shown = os.read(ours, 4096)
    finally:
        os.close(theirs)
        os.close(ours)
    assert b"lets you in as ada" in err
    assert TOKEN.encode() not in err
    assert shown == b"|"


async def test_a_name_has_its_ca_and_its_token_in_the_file(box: Box) -> None:
    config = box.folder / "config" / "palaver"
    config.mkdir(parents=True)
    token = config / "box.token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    (config / "client.toml").write_text(
        f'[servers.box]\nurl = "{box.url}"\nca_file = "{box.authority.file}"\n'
        'token_file = "box.token"\n'
    )
    for said in (("--server", "box"), ("--server", box.url)):
        out, _ = await box.palaver(*said, "ls", ca=False)
        assert out.startswith("c1")
    out, _ = await box.palaver("ls", ca=False, PALAVER_SERVER="box")
    assert out.startswith("c1")
    out, _ = await box.palaver("servers", ca=False)
    assert out == f"box           {box.url}  token in the file\n"
    token.chmod(0o644)
    _, err = await box.palaver("--server", "box", "ls", ca=False, code=1)
    assert "others can read it" in err


async def test_a_token_that_is_no_longer_taken_says_what_to_do(box: Box) -> None:
    await box.palaver("login", box.url, piped=TOKEN)
    box.tokens.clear()
    _, err = await box.palaver("--server", box.url, "ls", code=1)
    assert err == (
        f"palaver: {box.url} does not accept the token: The token has expired."
        f" Log in with  palaver login {box.url}\n"
    )
    _, err = await box.palaver("--server", box.url, "doctor", code=1)


async def test_a_token_goes_to_the_server_that_it_is_for_and_to_no_other(box: Box) -> None:
    await box.palaver("login", box.url, piped=TOKEN)
    async with protocol_server(box.authority.context()) as other:
        url = f"https://127.0.0.1:{other.port}"
        await box.palaver("--server", url, "ls", code=1)
        assert other.requests
        assert not any("Authorization" in request[3] for request in other.requests)

        async def elsewhere(_: web.Request) -> web.Response:
            raise web.HTTPTemporaryRedirect(f"{url}{API}/chats")

        asked = len(other.requests)
        box.server.routes["GET", f"{API}/chats"] = elsewhere
        await box.palaver("--server", box.url, "ls", code=1)
        assert len(other.requests) == asked


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("login",), 2, "Which server? Name one, as in  palaver login https://box:7777"),
        (("login", "ssh://box"), 1, "ssh://box wants no token"),
        (("login", "box"), 1, "login asks for box, but there is no [servers.box] in"),
        (("login", "https://box?t=1"), 1, "a token is never part of it"),
        (("--server", "box", "--socket", "/s", "ls"), 2, "give one of them"),
        (("--remote-command", "x", "ls"), 1, "No --server is given that --ca-file"),
        (("--server", "https://box", "daemon", "stop"), 1, "is for a daemon on this machine"),
        (("--server", "ssh://me@box:2", "daemon", "logs"), 1, "ssh -p 2 me@box palaver daemon"),
    ],
)
async def test_what_cannot_be_meant_is_a_sentence(
    box: Box, arguments: tuple[str, ...], code: int, said: str
) -> None:
    _, err = await box.palaver(*arguments, code=code, ca=False)
    assert said in err


def section() -> str:
    """The README's section about other machines."""
    text = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    return text.partition("## On another machine")[2].partition("\n## ")[0]


async def test_the_lines_of_the_readme_do_what_it_says(box: Box) -> None:
    """As they are, with this box's address; the command for the interface lists chats here."""
    lines = [line[2:].partition("#")[0].split() for line in re.findall(r"^\$ .*", section(), re.M)]
    https = [line for line in lines if "ssh://you@box" not in line]
    assert https.pop(0)[:3] == ["palaverd", "token", "create"]  # on the box; see tests/access
    assert [line[1] for line in https] == ["login", "--server"]
    named = re.findall(r"```toml\n(.*?)```", section(), re.DOTALL)[0]
    folder = box.folder / "config" / "palaver"
    folder.mkdir(parents=True)
    (folder / "client.toml").write_text(named.replace("https://box:7777", box.url))
    shutil.copy(box.authority.file, folder / "box-ca.pem")
    for program, *line in https:
        assert program == "palaver"
        words = [box.url if word == "https://box:7777" else word for word in line]
        if words[0] == "login":
            _, err = await box.palaver(*words, piped=TOKEN, ca=False)
            assert "lets you in as ada" in err
        else:
            out, _ = await box.palaver(*words, "ls", ca=False)
            assert out.startswith("c1")
    out, _ = await box.palaver("--server", "box", "ls", ca=False)
    assert out.startswith("c1")
