"""Run the blocks of docs/remote.md, in their order, with the real programs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import shutil
import signal
import ssl
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from deploy.guide import REASONS, Block, Machine, blocks
from palaverd.simulator import Simulator
from support.clock import PATIENCE_S
from support.daemon import short_dir
from support.forkserver import fork
from support.process import CONFIG, DaemonProcess
from support.require import require
from support.sshd import Box, box, free_port

pytestmark = pytest.mark.process

BY_SSH = "By ssh"
# The expected output of a command, by its beginning.
SEEN = {
    "palaverd token create": "palaver_",
    "palaverd token list": "phone",
    "palaverd token revoke": "revoked",
    "palaverd user add": "added alice",
    "palaverd user disable": "disabled alice",
    "palaver login": "lets you in",
    "palaver logout": "forgotten",
    "palaver servers": "box",
    "palaver --server box run": "sky",
}


@dataclass
class Place:
    """A box and a laptop, each with a home directory, as the guide has set them up so far."""

    folder: Path
    port: int
    simulator: str
    token: str = ""
    daemon: DaemonProcess | None = None
    done: list[Block] = field(default_factory=list)

    def home(self, machine: Machine) -> Path:
        return self.folder / machine

    def environment(self, machine: Machine) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home(machine)),
            "TESTS_OF_PALAVER": os.environ["TESTS_OF_PALAVER"],
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        }

    def here(self, text: str) -> str:
        """Return a block's text with this machine's name and port in it."""
        return (
            text.replace("https://box:7777", f"https://localhost:{self.port}")
            .replace("DNS:box", "DNS:localhost")
            .replace("0.0.0.0:7777", f"127.0.0.1:{self.port}")
        )

    async def run(self, machine: Machine, command: str) -> str:
        """Run a line, which must succeed; return its output."""
        words = shlex.split(command)
        if words[:2] == ["palaverd", "serve"]:
            await self.serve(words[1:])
            return ""
        if words[0] not in {"palaver", "palaverd"}:
            process = await asyncio.create_subprocess_exec(
                *("bash", "-c", command),
                stdout=PIPE,
                stderr=PIPE,
                stdin=DEVNULL,
                cwd=self.home(machine),
                env=self.environment(machine),
            )
            async with asyncio.timeout(PATIENCE_S):
                out, err = await process.communicate()
            assert process.returncode == 0, (command, out, err)
            return (out + err).decode()
        into = words.pop() if ">" in words else None
        words = [word for word in words if word != ">"]
        if "ID" in words:
            words[words.index("ID")] = await self.id_of("phone")
        piped = self.token if words[1] == "login" else None
        code, out_text, err_text = await self.program(machine, words, piped)
        assert code == 0, (command, out_text, err_text)
        if words[:4] == ["palaverd", "token", "create", "laptop"] and "--user" not in words:
            self.token = out_text.strip()
        if into is not None:
            (self.home(machine) / into).write_text(out_text)
        return out_text + err_text

    async def program(
        self, machine: Machine, words: list[str], piped: str | None = None
    ) -> tuple[int | None, str, str]:
        with contextlib.chdir(self.home(machine)):
            process = await fork(
                *words,
                stdin=DEVNULL if piped is None else PIPE,
                stdout=PIPE,
                environment=self.environment(machine),
            )
        async with asyncio.timeout(PATIENCE_S):
            out, err = await process.communicate(piped.encode() if piped is not None else None)
        return process.returncode, out.decode(), err.decode()

    async def id_of(self, name: str) -> str:
        _, listed, _ = await self.program("box", ["palaverd", "token", "list", "--json"])
        found = [json.loads(line) for line in listed.splitlines()]
        (token_id,) = (token["id"] for token in found if token["name"] == name)
        return str(token_id)

    async def serve(self, words: list[str]) -> None:
        with contextlib.chdir(self.home("box")):
            process = await fork("palaverd", *words, environment=self.environment("box"))
        self.daemon = DaemonProcess(self.home("box") / ".local" / "share" / "palaver", process)
        self._reading = asyncio.create_task(self.daemon.read_log())
        await self.daemon.ready()

    async def end(self) -> None:
        if self.daemon is not None:
            assert await self.daemon.end(signal.SIGTERM) == 0
            await self._reading
            await self.daemon.client.close()

    def write(self, block: Block) -> None:
        """Write a block of configuration to the file that the words before it name, for tests."""
        text = self.here(block.text)
        machine: Machine = "laptop" if "client.toml" in block.before else "box"
        (name,) = (word for word in block.before.split("`") if word.endswith(".toml"))
        path = self.home(machine) / name.removeprefix("~/")
        path.parent.mkdir(parents=True, exist_ok=True)
        if machine == "box":
            text = CONFIG.format(url=self.simulator) + text
        path.write_text(text)


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    require("curl")
    require("openssl")
    async with short_dir() as folder, Simulator(rate=0) as simulator:
        found = Place(folder, free_port(), simulator.url)
        for machine in ("box", "laptop"):
            (folder / machine).mkdir()
        try:
            yield found
        finally:
            await found.end()


async def test_the_blocks_do_what_the_guide_says(place: Place) -> None:
    ran = 0
    for block in blocks():
        if block.needs is not None or block.section == BY_SSH or block.language == "yaml":
            continue
        if block.language == "toml":
            if ".toml" in block.before:
                place.write(block)
            else:  # for another box: check that it is valid
                (place.home("box") / "other.toml").write_text(block.text)
                await place.run("box", "palaverd config check --config other.toml")
            continue
        for machine, command in block.commands():
            if command.startswith("palaver login"):  # "Copy ca.pem to the laptop."
                shutil.copy(place.home("box") / "ca.pem", place.home("laptop"))
            said = await place.run(machine, place.here(command))
            for begins, seen in SEEN.items():
                if command.startswith(begins) and ">" not in command:
                    assert seen in said, (command, said)
            ran += 1
    assert ran >= 18
    await assert_as_prometheus(place)
    # The secret was typed on the laptop; the box's log must not contain it.
    assert place.daemon is not None
    assert place.token not in str(place.daemon.log)


async def assert_as_prometheus(place: Place) -> None:
    """Check that the guide's settings for Prometheus get access: token, CA and address."""
    token = (place.home("box") / "prometheus.token").read_text().strip()
    (block,) = (block for block in blocks() if block.language == "yaml")
    for said in ("scheme: https", "credentials_file:", "ca_file:", "box:7777"):
        assert said in block.text
    tls = ssl.create_default_context(cafile=str(place.home("laptop") / "ca.pem"))
    tls.verify_flags |= ssl.VERIFY_X509_STRICT  # as Python 3.13 and newer do
    head = {"Authorization": f"Bearer {token}"}
    url = f"https://localhost:{place.port}/metrics"
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, headers=head, ssl=tls) as answer,
    ):
        assert answer.status == 200
        assert "palaver_chats" in await answer.text()


@pytest.fixture
async def there() -> AsyncIterator[Box]:
    require("sshd")
    async with short_dir() as folder, Simulator(rate=0) as simulator, box(folder) as found:
        (folder / "config.toml").write_text(CONFIG.format(url=simulator.url))
        found.install()
        yield found
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int((folder / "data" / "palaverd.lock").read_text()), signal.SIGKILL)


async def test_by_ssh_there_is_nothing_to_set_up(there: Box) -> None:
    commands = [
        command for block in blocks() if block.section == BY_SSH for _, command in block.commands()
    ]
    assert commands
    for command in commands:
        program, *words = shlex.split(command.replace("ssh://you@box", there.url))
        process = await fork(program, *words, stdout=PIPE, environment=there.environment)
        async with asyncio.timeout(2 * PATIENCE_S):
            _, err = await process.communicate()
        assert process.returncode == 0, err


def test_what_a_block_needs_is_said_in_words_that_the_reader_sees() -> None:
    found = blocks()
    assert {block.needs for block in found} <= {None, *REASONS}
    # The blocks that are not run; marking another one means changing this line.
    assert sum(block.needs is not None for block in found) == 7
    assert {block.language for block in found} <= {"console", "toml", "yaml"}
