"""A key that cannot be read fails its provider only: the daemon starts, other providers work."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from support.here import Here, somewhere
from support.process import CONFIG

pytestmark = pytest.mark.process

MORE = """
[providers.vault]
kind = "anthropic"
base_url = "{url}"
api_key = "cmd:test -e %(place)s || {{ echo the vault is locked >&2; exit 3; }}; echo sim"
[models.locked]
provider = "vault"
model = "sim-large"
[providers.lost]
kind = "openai-compatible"
base_url = "{url}/v1"
api_key = "file:/nowhere/key"
[models.lost]
provider = "lost"
model = "sim-large"
"""


@pytest.fixture
async def here() -> AsyncIterator[Here]:
    async with somewhere() as found:
        url = found.config.read_text().partition('base_url = "')[2].partition('/v1"')[0]
        more = MORE % {"place": found.data_dir / "open"}
        found.config.write_text((CONFIG + more).format(url=url))
        yield found


VAULT = (
    "The API key for vault cannot be used: its command ended with code 3: the vault is locked."
    " Correct the command of providers.vault.api_key in config.toml, run `palaver daemon reload`,"
    " and try again."
)
LOST = (
    "The API key for lost cannot be used: its file /nowhere/key cannot be read: No such file or"
    " directory. Correct providers.lost.api_key in config.toml, and try again."
)


async def test_it_is_refused_when_it_is_used_and_others_answer(here: Here) -> None:
    assert (await here("run", "[[echo]] hello")).out.strip() == "hello"
    for model, sentence in (("locked", VAULT), ("lost", LOST)):
        asked = await here("run", "hello", "--model", model, "--json", code=3)
        error = json.loads(asked.out.splitlines()[-1])["error"]
        assert (error["kind"], error["message"], error["retryable"]) == ("auth", sentence, False)
    doctor = (await here("doctor")).out
    assert f"--  model        locked: sim-large of vault\n{'':<17}{VAULT}\n" in doctor
    assert f"--  model        lost: sim-large of lost\n{'':<17}{LOST}\n" in doctor
    log = (here.data_dir / "palaverd.log").read_text()
    assert "the vault is locked" in log


async def test_what_the_sentence_says_mends_it(here: Here) -> None:
    assert VAULT in (await here("run", "hello", "--model", "locked", code=3)).err
    (here.data_dir / "open").touch()
    await here("daemon", "reload")
    answered = await here("run", "[[echo]] hello", "--model", "locked")
    assert answered.out.strip() == "hello"
