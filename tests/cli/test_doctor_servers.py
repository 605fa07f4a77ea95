"""`palaver doctor` names the server behind each provider, and what to know about it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from palaver.servers.table import BY_SLUG
from palaverd.simulator import Simulator
from support.here import Here, somewhere

pytestmark = pytest.mark.process

PROPS = {
    "default_generation_settings": {"n_ctx": 4096},
    "chat_template_caps": {"supports_tools": False},
}
CONFIG = """
[providers.home]
kind = "openai-compatible"
base_url = "{home}/v1"

[providers.toolless]
kind = "anthropic"
base_url = "{toolless}"
api_key = "k"

[providers.away]
kind = "openai-compatible"
base_url = "http://127.0.0.1:1/v1"
startup_seconds = 30

[providers.work]
kind = "openai-compatible"
base_url = "https://api.mistral.ai/v1"
api_key = "k"

[providers.unknown]
kind = "openai-compatible"
base_url = "{unknown}/v1"

[models.m]
provider = "home"
model = "m"
"""


@asynccontextmanager
async def llama_without_tools() -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.Response:
        body = PROPS if request.path == "/props" else {"data": []}
        return web.json_response(body, headers={"Server": "llama.cpp"})

    application = web.Application()
    application.router.add_get("/{tail:.*}", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.fixture
async def here() -> AsyncIterator[Here]:
    async with (
        Simulator(rate=0, dialect="vllm", keyless=True) as home,
        Simulator(rate=0, keyless=True) as unknown,
        llama_without_tools() as toolless,
    ):
        config = CONFIG.format(home=home.url, toolless=toolless, unknown=unknown.url)
        async with somewhere(config) as found:
            yield found


async def test_the_doctor_names_the_server_behind_each_provider(here: Here) -> None:
    doctor = await here("doctor", "--json")
    findings = [json.loads(line) for line in doctor.out.splitlines()]
    told = [one["text"] for one in findings if one["subject"] == "provider"]
    waits = "waits 600 s for the first word"
    by_name = {text.partition(":")[0]: text for text in told}
    assert by_name["home"].startswith("home: vLLM, by what it answers, at http://127.0.0.1:")
    assert by_name["home"].endswith(waits)
    mistral = "work: Mistral, by its address, at https://api.mistral.ai/v1"
    assert by_name["work"] == f"{mistral}; {waits}; does not ask for counts, which come anyway"
    assert by_name["away"] == "away: nothing answers at http://127.0.0.1:1/v1 now"
    assert "a server that is not known" in by_name["unknown"]
    assert "toolless: this model sees no tools" in told
    assert any(text.startswith("toolless: llama.cpp, by what it answers") for text in told)
    for note in BY_SLUG["llama.cpp"].notes:
        assert f"llama.cpp: {note.text}" in told
    states = {one["state"] for one in findings if one["subject"] == "provider"}
    assert states == {"ok", "note"}


async def test_the_doctor_says_where_a_proxy_may_be_why_nothing_answers(here: Here) -> None:
    await here("daemon", "restart", https_proxy="http://proxy.test:3128")
    doctor = await here("doctor", "--json")
    (away,) = (
        one
        for one in map(json.loads, doctor.out.splitlines())
        if one["text"].startswith("away: nothing answers")
    )
    assert away["remedy"] == (
        "Asked without the proxy of https_proxy, through which the daemon goes."
    )
