"""A real daemon sends a known server what it requires, from the first request on.

The vendor's name is real; the proxy for it is on this machine.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from support.here import somewhere

pytestmark = pytest.mark.process

CONFIG = """
[providers.work]
kind = "openai-compatible"
base_url = "http://{host}/v1"
api_key = "k"

[models.m]
provider = "work"
model = "m"
"""
ANSWER = (
    b'data: {"choices":[{"index":0,"delta":{"content":"Fine."},"finish_reason":"stop"}]}\n\n'
    b"data: [DONE]\n\n"
)


@asynccontextmanager
async def proxy(asked: list[dict[str, Any]]) -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.Response:
        asked.append(await request.json())
        return web.Response(body=ANSWER, content_type="text/event-stream")

    application = web.Application()
    application.router.add_post("/{tail:.*}", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("host", "limit", "counts"),
    [
        ("api.mistral.ai", "max_tokens", False),
        ("api.groq.com", "max_completion_tokens", True),
        ("model.test", "max_tokens", True),
    ],
)
async def test_the_first_request_is_as_the_server_wants_it(
    host: str, limit: str, counts: bool
) -> None:
    asked: list[dict[str, Any]] = []
    async with proxy(asked) as url, somewhere(CONFIG.format(host=host)) as here:
        answered = await here("run", "hi", http_proxy=url, no_proxy="")
    assert answered.out.strip() == "Fine."
    first = asked[0]
    assert {name for name in first if name.startswith("max_")} == {limit}
    assert ("stream_options" in first) is counts
