"""A key in twelve malformed forms is told as the key's fault, at once, and written nowhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from failures.test_canaries import everything_read, run, serving
from palaverd.simulator import Simulator
from support.daemon import short_dir

pytestmark = pytest.mark.process

# Of no shape by which a key could be known; halves, so that one half alone is seen as well.
FIRST, SECOND = "Zebra7Quilt9Lantern", "Fjord2Gravel8Piano"
FORMS = {
    "two lines": f"{FIRST}\n{SECOND}",
    "lines of Windows": f"{FIRST}\r\n{SECOND}",
    "a carriage return": f"{FIRST}\r{SECOND}",
    "with a name": f"login: {FIRST}\nkey: {SECOND}\n",
    "a header behind it": f"{FIRST}\nX-More: {SECOND}",
    "a tab": f"{FIRST}\t{SECOND}",
    "an escape": f"{FIRST}\x1b[31m{SECOND}",
    "a deletion": f"{FIRST}\x7f{SECOND}",
    "a letter with an accent": f"{FIRST}é{SECOND}",
    "no space that is seen": f"{FIRST}\u200b{SECOND}",
    "quotes of a word processor": f"“{FIRST}{SECOND}”",
    "bytes that are no text": f"{FIRST}\udcff{SECOND}",
}
KINDS = ("anthropic", "openai", "openai-compatible")
SOURCES = ("env", "file", "cmd")


def configuration(folder: Path, url: str) -> tuple[str, dict[str, str]]:
    """Each form in a provider of its own: kinds and sources take turns. With the environment."""
    text, environment = "", {}
    for number, value in enumerate(FORMS.values()):
        kind, source = KINDS[number % 3], SOURCES[number // 3 % 3]
        (folder / f"key{number}").write_bytes(value.encode("utf-8", "surrogateescape"))
        environment[f"KEY{number}"] = value
        key = {
            "env": f"env:KEY{number}",
            "file": f"file:{folder}/key{number}",
            "cmd": f"cmd:cat {folder}/key{number}",
        }[source]
        base = url if kind == "anthropic" else f"{url}/v1"
        text += (
            f'[providers.p{number}]\nkind = "{kind}"\nbase_url = "{base}"\napi_key = "{key}"\n'
            f'[models.m{number}]\nprovider = "p{number}"\nmodel = "sim-large"\n'
        )
    return text, environment


async def test_a_malformed_key_is_its_own_fault_and_is_written_nowhere() -> None:
    written: dict[str, bytes] = {}
    async with short_dir() as folder, Simulator(rate=0) as simulator:
        text, environment = configuration(folder, simulator.url)
        (folder / "config.toml").write_text(text)
        socket = ("palaver", "--socket", str(folder / "data" / "palaverd.sock"))
        async with serving(folder, **environment):
            for number, name in enumerate(FORMS):
                out = await run(*socket, "run", "hi", "--model", f"m{number}", "--json")
                error = json.loads(out.splitlines()[-2])["error"]
                assert (error["kind"], error["retryable"]) == ("auth", False), name
                assert "The API key for" in error["message"], name
                written[name] = out
            for command in (("run", "hi"), ("doctor",), ("doctor", "--json"), ("--debug", "ls")):
                written[" ".join(command)] = await run(*socket, *command)
            written |= await everything_read(folder)
        for path in (folder / "data").rglob("*"):
            if path.is_file():
                written[str(path)] = path.read_bytes()
        written["log"] = (folder / "log").read_bytes()
        assert simulator.requests == []
    leaks = [
        where
        for where, data in written.items()
        if any(half.encode() in data for half in (FIRST, SECOND))
    ]
    assert leaks == []
    assert any(b"SQLite format 3" in data for data in written.values())
