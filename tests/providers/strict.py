"""A server that accepts requests by a given rule, and answers "fine"."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from providers.calling import PATHS, Kind
from providers.raw import DONE, chat, data, messages, responses

Body = dict[str, Any]
# Returns the status and body of a refusal, None for a request that is accepted.
Rule = Callable[[Body], tuple[int, Any] | None]


class StrictServer:
    """Answers "fine" to requests that its rule accepts, and keeps all requests.

    With a `seal` it sends reasoning first, encrypted under that seal (Responses).
    """

    def __init__(self, kind: Kind, rule: Rule, seal: str = "") -> None:
        self.kind, self.rule, self.seal = kind, rule, seal
        self.asked: list[Body] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append(body)
        refused = self.rule(body)
        if refused is not None:
            return web.json_response(refused[1], status=refused[0])
        stream = {
            "anthropic": lambda: data(*messages("fine")),
            "openai": lambda: data(*responses("fine", thought=self.seal and "hm")),
            "openai-compatible": lambda: data(*chat("fine"), DONE),
        }[self.kind]()
        if self.seal:
            stream = stream.replace(b'"sealed"', f'"{self.seal}"'.encode())
        return web.Response(body=stream, content_type="text/event-stream")


@asynccontextmanager
async def strict(kind: Kind, rule: Rule, seal: str = "") -> AsyncIterator[StrictServer]:
    server = StrictServer(kind, rule, seal)
    app = web.Application()
    app.router.add_post(PATHS[kind], server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


def refusal(message: str, status: int = 400, **more: str) -> tuple[int, Any]:
    return status, {"error": {"message": message, "type": "invalid_request_error", **more}}
