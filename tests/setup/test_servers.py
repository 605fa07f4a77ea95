"""Model servers on this machine: recognised by their responses, and written into a config.toml.

The responses are from the servers' own documentation and sources; each is sent by a real HTTP
server on its own port.
"""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from palaver.client import PalaverError
from palaver.servers.table import BY_SLUG, SERVERS
from palaver.setup.config_file import write_config
from palaver.setup.local import LocalModel, LocalServer, example, recognise
from palaver.setup.servers import MOST_BYTES, PATIENCE_S, PROBE_S, find_servers, probe
from palaverd.config.load import parse_config
from palaverd.simulator import Simulator
from palaverd.simulator.dialects import DIALECTS
from support.clock import ManualClock, until

OLLAMA = {
    "/v1/models": {
        "object": "list",
        "data": [
            {"id": "llama3.2:latest", "object": "model", "created": 1, "owned_by": "library"},
            {"id": "nomic-embed-text:latest", "object": "model", "owned_by": "library"},
            {"id": "qwen3:8b", "object": "model", "created": 1, "owned_by": "library"},
        ],
    },
    "/api/version": {"version": "0.12.6"},
}
LLAMA_CPP = {
    "/v1/models": {
        "models": [{"name": "m"}],
        "object": "list",
        "data": [
            {
                "id": "/models/Qwen3-4B.Q4_K_M.gguf",
                "object": "model",
                "owned_by": "llamacpp",
                "meta": {"n_ctx_train": 262144},
            }
        ],
    },
    "/props": {"default_generation_settings": {"n_ctx": 8192}, "model_path": "m"},
}
VLLM = {
    "/v1/models": {
        "object": "list",
        "data": [
            {"id": "meta-llama/Llama-3.1-8B", "owned_by": "vllm", "max_model_len": 32768},
        ],
    }
}
# It responds to unknown paths with 200 and an error, as here.
LM_STUDIO = {
    "/v1/models": {
        "object": "list",
        "data": [{"id": "qwen2-vl-7b", "object": "model", "owned_by": "organization_owner"}],
    },
    "/api/version": {"error": "Unexpected endpoint or method. (GET /api/version)"},
    "/api/v0/models": {
        "object": "list",
        "data": [
            {"id": "qwen2-vl-7b", "type": "vlm", "max_context_length": 32768},
            {
                "id": "qwen2.5-7b-instruct",
                "type": "llm",
                "state": "loaded",
                "loaded_context_length": 4096,
                "max_context_length": 131072,
            },
            {"id": "some-text-model", "type": "embeddings", "max_context_length": 2048},
        ],
    },
}


@asynccontextmanager
async def server(answers: dict[str, Any], asked: list[str] | None = None) -> AsyncIterator[int]:
    """Serve these paths, and 404 for all others; a string is sent unchanged."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if asked is not None:
            asked.append(request.path)
        answer = answers.get(request.path)
        if answer is None:
            raise web.HTTPNotFound
        if isinstance(answer, web.HTTPException):
            raise answer
        if isinstance(answer, asyncio.Event):
            await answer.wait()
            return web.Response()
        if isinstance(answer, str):
            return web.Response(text=answer)
        return web.json_response(answer)

    async with serving(handle) as port:
        yield port


@asynccontextmanager
async def serving(handle: Any) -> AsyncIterator[int]:
    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def found(answers: dict[str, Any], asked: list[str] | None = None) -> LocalServer | None:
    async with server(answers, asked) as port:
        servers = await find_servers(ManualClock(), [port])
        assert all(one.address == f"127.0.0.1:{port}" for one in servers)
        return servers[0] if servers else None


@pytest.mark.parametrize(
    ("answers", "kind", "models"),
    [
        (OLLAMA, "Ollama", [("llama3.2:latest", None), ("qwen3:8b", None)]),
        (LLAMA_CPP, "llama.cpp", [("/models/Qwen3-4B.Q4_K_M.gguf", 8192)]),
        (VLLM, "vLLM", [("meta-llama/Llama-3.1-8B", 32768)]),
        (LM_STUDIO, "LM Studio", [("qwen2-vl-7b", 32768), ("qwen2.5-7b-instruct", 4096)]),
        # Without a model, as Ollama responds.
        (OLLAMA | {"/v1/models": {"object": "list", "data": None}}, "Ollama", []),
        (
            {"/v1/models": {"data": [{"id": "m"}, {"id": "e\n"}, {"id": 7}, {"id": "x" * 201}]}},
            "An OpenAI-compatible server",
            [("m", None)],
        ),
    ],
)
async def test_a_server_is_known_by_its_answers(
    answers: dict[str, Any], kind: str, models: list[tuple[str, int | None]]
) -> None:
    one = await found(answers)
    assert one is not None
    assert one.kind == kind
    assert [(model.id, model.context_limit) for model in one.models] == models


async def test_a_server_is_not_asked_what_it_is_known_not_to_be() -> None:
    asked: list[str] = []
    await found(VLLM, asked)
    assert asked == ["/v1/models"]
    asked.clear()
    await found(LLAMA_CPP, asked)
    assert asked == ["/v1/models", "/props"]


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"/v1/models": "<html>hello</html>"},
        {"/v1/models": "[]"},
        {"/v1/models": {"models": []}},
        {"/v1/models": {"data": "many"}},
        {"/v1/models": {"data": [1, 2]}},
        {"/v1/models": '{"data":[' + " " * MOST_BYTES + "]}"},
        {"/v1/models": web.HTTPFound("/elsewhere"), "/elsewhere": OLLAMA["/v1/models"]},
        {"/v1/models": web.HTTPUnauthorized()},
    ],
)
async def test_something_else_is_no_model_server_and_is_asked_once(answers: dict[str, Any]) -> None:
    asked: list[str] = []
    assert await found(answers, asked) is None
    assert asked == ["/v1/models"]


async def test_all_ports_are_asked_at_once_and_none_holds_the_others_up() -> None:
    never = asyncio.Event()
    asked: list[str] = []
    clock = ManualClock()
    async with server({"/v1/models": never}, asked) as silent, server(OLLAMA, asked) as port:
        unused = 1  # nothing listens there
        looking = asyncio.create_task(find_servers(clock, [silent, unused, port]))
        await until(lambda: len(asked) == 3)
        assert set(clock.waits()) <= {PATIENCE_S}
        await until(lambda: len(clock.waits()) == 1)
        clock.advance(PATIENCE_S)
        assert [one.kind for one in await looking] == ["Ollama"]


async def test_what_was_said_before_the_patience_ended_counts() -> None:
    clock = ManualClock()
    asked: list[str] = []
    answers = OLLAMA | {"/api/version": asyncio.Event()}
    async with server(answers, asked) as port:
        looking = asyncio.create_task(find_servers(clock, [port]))
        await until(lambda: len(asked) == 2)
        clock.advance(PATIENCE_S)
        (one,) = await looking
        assert (one.kind, len(one.models)) == ("An OpenAI-compatible server", 2)


# --- the file -------------------------------------------------------------------------------


@pytest.mark.parametrize("answers", [OLLAMA, LLAMA_CPP, VLLM, LM_STUDIO])
def test_the_example_is_a_configuration_that_the_daemon_takes(answers: dict[str, Any]) -> None:
    one = recognise("127.0.0.1:1", answers)
    assert one is not None
    config = parse_config(example(one), "example")
    (provider,) = config.providers.values()
    assert (provider.kind, provider.base_url) == ("openai-compatible", "http://127.0.0.1:1/v1")
    assert [(m.model, m.context_limit) for m in config.models.values()] == [
        (m.id, m.context_limit) for m in one.models
    ]


def test_names_are_short_and_no_two_alike() -> None:
    ids = ("llama3.2:latest", "a/b/Llama3.2", "q: 8B", "é", '"', "llama3.2:latest")
    one = LocalServer("Ollama", "127.0.0.1:1", tuple(LocalModel(each) for each in ids))
    config = parse_config(example(one), "example")
    names = ["llama3-2", "llama3-2-2", "q-8b", "model", "model-2", "llama3-2-3"]
    assert list(config.models) == names
    assert [model.model for model in config.models.values()] == list(ids)


async def test_the_simulator_is_found_and_its_example_fits_it() -> None:
    async with Simulator() as simulator:
        port = int(simulator.url.rpartition(":")[2])
        (one,) = await find_servers(ManualClock(), [port])
    assert one.kind == "An OpenAI-compatible server"
    assert list(parse_config(example(one), "example").providers) == ["local-server"]


def test_a_configuration_is_written_for_its_owner_alone_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "palaver" / "config.toml"
    write_config(path, "one\n")
    assert path.read_text() == "one\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    with pytest.raises(PalaverError, match="is there already; nothing was written"):
        write_config(path, "two\n")
    assert path.read_text() == "one\n"
    dangling = tmp_path / "link.toml"
    dangling.symlink_to(tmp_path / "nowhere" / "x")
    for one in (dangling, Path("/dev/null/config.toml")):
        with pytest.raises(PalaverError):
            write_config(one, "x")


# --- a server at a given URL ------------------------------------------------------------------

TOLD = [
    server.slug
    for server in SERVERS
    if server.slug in DIALECTS and any(server.marked(by) for by in ("header", "owner", "path"))
]


@pytest.mark.parametrize("slug", TOLD)
async def test_a_server_says_what_it_is_at_its_address(slug: str) -> None:
    async with Simulator(rate=0, dialect=slug, keyless=True) as simulator:
        for base_url in (simulator.url, f"{simulator.url}/v1", f"{simulator.url}/v1/"):
            probed = await probe(ManualClock(), base_url)
            assert probed.server is BY_SLUG[slug]


async def test_a_server_that_wants_a_key_is_known_by_its_headers() -> None:
    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=401, headers={"Server": "llama.cpp"})

    async with serving(refuse) as port:
        probed = await probe(ManualClock(), f"http://127.0.0.1:{port}/v1")
    assert probed.server is BY_SLUG["llama.cpp"]


async def test_a_server_that_is_not_known_answers_all_the_same() -> None:
    async with Simulator(rate=0, keyless=True) as simulator:
        probed = await probe(ManualClock(), f"{simulator.url}/v1")
    assert probed.server is None


async def test_nothing_is_heard_where_nobody_answers() -> None:
    for nowhere in ("http://127.0.0.1:1/v1", "not a url"):
        probed = await probe(ManualClock(), nowhere)
        assert (probed.headers, probed.late) == ({}, False)
    clock = ManualClock()
    asked: list[str] = []
    async with server({"/v1/models": asyncio.Event()}, asked) as port:
        probing = asyncio.create_task(probe(clock, f"http://127.0.0.1:{port}/v1"))
        await until(lambda: len(asked) == 1)
        clock.advance(PROBE_S)
        probed = await probing
    assert (probed.headers, probed.late) == ({}, True)
