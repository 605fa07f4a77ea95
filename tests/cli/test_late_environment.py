"""Variables that are exported after the daemon was started, and the messages about them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from palaver.cli.findings import _config
from palaver.wire.setup import Lent, Setup
from support.here import Here, somewhere
from support.process import CONFIG, started

pytestmark = pytest.mark.process

KEY = "Zebra7Quilt9Lantern3Moss"
# Of a vendor that answers nobody without a key.
NEEDS_KEY = CONFIG.replace('api_key = "sim"', 'api_key = "env:LATE_KEY"').replace(
    "openai-compatible", "openai"
)


@pytest.fixture
async def here() -> AsyncIterator[Here]:
    async with somewhere(NEEDS_KEY) as found:
        yield found


async def findings(here: Here, **environment: str) -> list[dict[str, Any]]:
    doctor = await here("doctor", "--json", code=1, **environment)
    return [json.loads(line) for line in doctor.out.splitlines()]


async def test_a_key_that_is_exported_later_counts(here: Here) -> None:
    without = await here("run", "hello", code=3)
    assert "Set LATE_KEY, run `palaver daemon restart`, and try again." in without.err
    first = await here.status()
    answered = await here("run", "hello", LATE_KEY=KEY)
    assert answered.out.strip()
    # In memory, of the same daemon, and for later commands.
    assert (await here.status())["pid"] == first["pid"]
    assert (await here("run", "hello")).out.strip()
    written = {path: path.read_bytes() for path in here.data_dir.iterdir() if path.is_file()}
    assert len(written) >= 3
    assert [path for path, data in written.items() if KEY.encode() in data] == []
    assert b"keys taken from a client" in written[here.data_dir / "palaverd.log"]


async def test_a_malformed_key_that_is_exported_later_is_told_as_such(here: Here) -> None:
    await here("run", "hello", code=3)
    told = await here("run", "hello", code=3, LATE_KEY=f"{KEY}\nmore")
    assert "it has more than one line. Correct LATE_KEY, run" in told.err
    assert KEY not in told.err


async def test_a_daemon_that_somebody_else_started_takes_no_keys(here: Here) -> None:
    async with started(here.data_dir):
        told = await here("run", "hello", code=3, LATE_KEY=KEY)
        assert "run `palaver daemon restart`" in told.err
        async with here.client() as client:
            setup = (await client.models()).setup
        assert setup is not None
        assert (setup.takes_variables, setup.variables) == (False, ["LATE_KEY"])


async def test_what_the_daemon_has_is_not_changed_by_a_client(here: Here) -> None:
    await here("daemon", "restart", LATE_KEY=KEY)
    async with here.client() as client:
        given = await client.lend(Lent({"LATE_KEY": "another", "PATH": "/evil"}))
    assert given.changed == []
    assert (await here("run", "hello", LATE_KEY="another")).out.strip()


async def test_the_doctor_names_proxies_and_certificates_of_the_daemon(here: Here) -> None:
    await here(
        *("daemon", "restart"),
        https_proxy="socks://me:hunter2secret@proxy.test:1080",
        NO_PROXY="home.test",
        SSL_CERT_FILE="/nowhere/ca.pem",
    )
    found = {finding["text"]: finding for finding in await findings(here)}
    assert found["https_proxy = socks5://proxy.test:1080, for the daemon"]["state"] == "ok"
    assert found["NO_PROXY = home.test, for the daemon"]["state"] == "ok"
    certificates = found["SSL_CERT_FILE = /nowhere/ca.pem, for the daemon"]
    assert certificates["state"] == "broken"
    assert "which is not there. Then:  palaver daemon restart" in certificates["remedy"]
    assert "hunter2secret" not in str(found)


async def test_the_doctor_tells_what_is_set_here_and_not_for_the_daemon(here: Here) -> None:
    async with started(here.data_dir):
        found = await findings(here, HTTPS_PROXY="proxy.test:1", LATE_KEY=KEY)
    texts = [finding["text"] for finding in found if finding["subject"] == "environment"]
    assert texts == [
        f"{name} is set here, and was not where the daemon was started"
        for name in ("HTTPS_PROXY", "LATE_KEY")
    ]


def test_the_doctor_says_that_the_file_is_newer_than_what_was_read(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("")
    read_at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    for later, state in ((-1, "note"), (1, "ok")):
        read = read_at + timedelta(seconds=later)
        finding = _config(Setup(str(file), found=True, read_at=read))
        assert finding.state == state
        assert ("is newer than what the daemon has read" in finding.text) is (state == "note")
