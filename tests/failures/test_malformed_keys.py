"""A key in twelve malformed forms, in each protocol: the message names the fault, not the key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from failures.test_canaries import everything_read, run, serving
from palaver.wire.errors import ChatError
from palaverd.config.keys import BadKey, read_key
from palaverd.config.types import ProviderConfig
from palaverd.simulator import Simulator
from support.daemon import short_dir

pytestmark = pytest.mark.process

# In no format by which a key could be recognised; in halves, so that one half is found as well.
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
    """Return a configuration with a provider for each form in each kind, and its environment.

    Each form comes from each source, too.
    """
    text, environment = "", {}
    for number, value in enumerate(FORMS.values()):
        (folder / f"key{number}").write_bytes(value.encode("utf-8", "surrogateescape"))
        environment[f"KEY{number}"] = value
        for turn, kind in enumerate(KINDS):
            key = {
                "env": f"env:KEY{number}",
                "file": f"file:{folder}/key{number}",
                "cmd": f"cmd:cat {folder}/key{number}",
            }[SOURCES[(number + turn) % 3]]
            name, base = f"{kind}-{number}", url if kind == "anthropic" else f"{url}/v1"
            text += (
                f'[providers.{name}]\nkind = "{kind}"\nbase_url = "{base}"\napi_key = "{key}"\n'
                f'[models.{name}]\nprovider = "{name}"\nmodel = "sim-large"\n'
            )
    return text, environment


async def test_a_malformed_key_is_its_own_fault_and_is_written_nowhere() -> None:
    written: dict[str, bytes] = {}
    async with short_dir() as folder, Simulator(rate=0) as simulator:
        text, environment = configuration(folder, simulator.url)
        (folder / "config.toml").write_text(text)
        socket = ("palaver", "--socket", str(folder / "data" / "palaverd.sock"))

        def read_files(when: str) -> None:
            for path in (folder / "data").rglob("*"):
                if path.is_file():
                    written[f"{path.name} {when}"] = path.read_bytes()

        async with serving(folder, **environment):
            for number, form in enumerate(FORMS):
                for kind in KINDS:
                    model = f"{kind}-{number}"
                    # Every event, and the result as the last line.
                    out = await run(*socket, "run", "hi", "--model", model, "--json")
                    lines = [json.loads(line) for line in out.splitlines() if line[:1] == b"{"]
                    errors = [line["error"] for line in lines if line.get("error")]
                    assert next(line["type"] for line in lines if line.get("error")) == "error"
                    assert lines[-1]["type"] == "result"
                    for error in errors:
                        assert (error["kind"], error["retryable"]) == ("auth", False), (form, kind)
                        assert "The API key for" in error["message"], (form, kind)
                        assert error.keys() == set(ChatError.__struct_fields__)
                    written[model] = out
            for command in (
                *(("run", "hi"), ("ls", "--json"), ("daemon", "status"), ("daemon", "reload")),
                *(("doctor",), ("doctor", "--json"), ("--debug", "doctor"), ("--debug", "ls")),
            ):
                written[" ".join(command)] = await run(*socket, *command)
            written |= await everything_read(folder)
            read_files("while it runs")
        read_files("after it")
        written["log"] = (folder / "log").read_bytes()
        assert simulator.requests == []
    leaks = [
        where
        for where, data in written.items()
        if any(half.encode() in data for half in (FIRST, SECOND))
    ]
    assert leaks == []
    # The searched files exist: pages, those in the WAL, errors, events.
    assert written["palaver.db after it"].startswith(b"SQLite format 3")
    assert b"cannot be used" in written["palaver.db-wal while it runs"]
    assert b"cannot be used" in written["palaver.db after it"]
    assert written["log"].count(b"cannot be used") >= len(FORMS) * len(KINDS)
    assert sum(b'"caught_up"' in data for data in written.values()) >= len(FORMS) * len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_each_form_is_refused_from_each_source(kind: str, tmp_path: Path) -> None:
    for number, value in enumerate(FORMS.values()):
        file = tmp_path / f"{number}"
        file.write_bytes(value.encode("utf-8", "surrogateescape"))
        for source in ("env:KEY", f"file:{file}", f"cmd:cat {file}", value):
            found = read_key(
                ProviderConfig(kind=kind, api_key=source),  # type: ignore[arg-type]
                {"KEY": value, "PATH": "/usr/bin:/bin"},
            )
            assert isinstance(found, BadKey), (source, kind)
            assert FIRST not in found.fault
            assert SECOND not in found.fault
