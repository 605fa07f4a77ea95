"""The cases of the matrix: each sends requests through Palaver, and reports differences.

A case returns "ok", or in few words what is different from the expected result.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import aiohttp
import msgspec

from palaver.client import Client
from palaver.wire.chats import CreateChat
from palaverd.config.types import ProviderKind
from providers.calling import Outcome, call, made
from providers.raw import raw_server
from servers import asking, toy
from servers.asking import ASTRAY, SHORT, WRONG_KEY, WRONG_NAME, Told, ask
from servers.recordings import PROBE, keep
from servers.running import Running, Tap

OK = "ok"
# A free slot responds at once; a turn that continues would hold it for longer.
_SOON_S = 5.0
_CONNECT_S = 30.0


class Case(msgspec.Struct):
    """The parts for a case: a client of the daemon, the server, and the recorder between them.

    `backend` is the server that has the model: another one behind a gateway.
    """

    client: Client
    kind: ProviderKind
    front: Running
    backend: Running
    tap: Tap

    def record(self, case: str, number: int = -1) -> None:
        """Keep the response with this number as the recording of a case."""
        answers = [bytes(answer) for answer in self.tap.answers if answer]
        if answers:
            keep(self.front.server.name, self.kind, case, answers[number])


def _differs(told: Told, text: str, finish: str = "stop", thought: str = "") -> str:
    """Compare an answer with the expected one."""
    if told.error is not None:
        return _named(told.error.kind, told.error.message)
    if told.retries:
        return "tried again: " + _named(told.retries[0].kind, told.retries[0].message)
    if told.text.strip() != text:
        return f"text {told.text[:60]!r}"
    if told.thought.strip() != thought:
        return f"reasoning {told.thought[:60]!r}"
    if told.finish != finish:
        return f"finish {told.finish}"
    usage = told.usage
    if usage is None or not usage.input_tokens or not usage.output_tokens:
        return "no counts"
    return OK


def _named(kind: str, message: str) -> str:
    return f"{kind}: {message[:120]}"


def _failed(told: Told, kind: str) -> str:
    """Compare a failure with its expected kind."""
    if told.error is None:
        return f"answered: {told.text[:40]!r}"
    if told.retries:
        return "tried again: " + _named(told.retries[0].kind, told.retries[0].message)
    return OK if told.error.kind == kind else _named(told.error.kind, told.error.message)


async def answer(case: Case) -> str:
    """Check a question, an answer, its counts."""
    told = await ask(case.client, "hi")
    case.record("answer")
    return _differs(told, toy.text_of("answer"))


async def reasoning(case: Case) -> str:
    """Check that reasoning is apart from the answer."""
    told = await ask(case.client, "please think")
    case.record("reasoning")
    thought, _, text = toy.text_of("think").removeprefix("<think>").partition("</think>")
    return _differs(told, text, thought=thought)


async def second_turn(case: Case) -> str:
    """Check that the server accepts its own answer in the second turn."""
    first = await ask(case.client, "please think")
    told = await ask(case.client, "and now", chat=first.chat)
    case.record("second turn")
    return _differs(told, toy.text_of("again"))


async def tool_call(case: Case) -> str:
    """Check what the protocol's reader returns for a call. The daemon has no tools to offer yet."""
    server = case.front.server
    headers = {"Authorization": f"Bearer {server.key}", "x-api-key": server.key}
    url = case.tap.url + PATHS[case.kind]
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(url, json=_with_tool(case.kind, server.model)) as response,
    ):
        await response.read()
    case.record("tool call")
    outcome = await _read_again(case)
    if outcome.error is not None:
        return _named(outcome.error.kind, outcome.error.message)
    calls = [block for block in outcome.blocks if block.kind == "tool_call"]
    if not calls:
        return f"no call, but {outcome.text[:60]!r}"
    if calls[0].name != "weather" or msgspec.json.decode(calls[0].text) != {"city": "Oslo"}:
        return f"call {calls[0].name} {calls[0].text[:60]}"
    finish = outcome.completed.finish if outcome.completed else None
    return OK if finish == "tool_calls" else f"finish {finish}"


PATHS: dict[ProviderKind, str] = {
    "openai-compatible": "/v1/chat/completions",
    "openai": "/v1/responses",
    "anthropic": "/v1/messages",
}


def _with_tool(kind: ProviderKind, model: str) -> dict[str, object]:
    """Return a request that offers a tool."""
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    about = {"name": "weather", "description": "The weather of a city."}
    request: dict[str, object] = {"model": model, "stream": True}
    says = [{"role": "user", "content": "How is the weather in Oslo?"}]
    if kind == "openai":
        tool = {"type": "function", **about, "parameters": schema}
        message = {"type": "message", **says[0]}
        return request | {"input": [message], "tools": [tool], "max_output_tokens": 100}
    if kind == "anthropic":
        tool = {**about, "input_schema": schema}
        return request | {"messages": says, "tools": [tool], "max_tokens": 100}
    tool = {"type": "function", "function": {**about, "parameters": schema}}
    counts = {"stream_options": {"include_usage": True}}
    return request | {"messages": says, "tools": [tool], "max_tokens": 100} | counts


async def _read_again(case: Case) -> Outcome:
    """Read the last response again with the protocol's reader."""
    raw = bytes([answer for answer in case.tap.answers if answer][-1])
    async with raw_server(raw) as server, made(case.kind, server.url) as provider:
        return await call(provider, "hi")


async def no_tools(case: Case) -> str:
    """Check a template without tools: they are dropped silently, and `/props` shows it."""
    if "without tools" not in case.backend.variants or case.backend is not case.front:
        return "n.a.: nothing says whether the template knows tools"
    known = await _caps(case)
    keep(case.front.server.name, PROBE, "props", bytes(case.tap.answers[-1]))
    await case.backend.kill()
    await case.backend.begin("without tools")
    await case.backend.ready()
    unknown = await _caps(case)
    keep(case.front.server.name, PROBE, "props without tools", bytes(case.tap.answers[-1]))
    await case.backend.kill()
    await case.backend.begin()
    await case.backend.ready()
    if (known, unknown) == (True, False):
        return OK
    return f"supports_tools is {known} with them, and {unknown} without"


async def _caps(case: Case) -> bool | None:
    """Return the tool capabilities of the template, from llama.cpp."""
    headers = {"Authorization": f"Bearer {case.front.server.key}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"{case.tap.url}/props") as response,
    ):
        caps = (await response.json()).get("chat_template_caps") or {}
        return caps.get("supports_tools")


async def cut(case: Case) -> str:
    """Check that an answer cut by the output limit is marked."""
    told = await ask(case.client, "please count", SHORT)
    case.record("cut at limit")
    return OK if told.finish == "length" and told.text else _differs(told, "...", "length")


async def full_context(case: Case) -> str:
    """Check that a conversation that is too long has that error, and is not retried."""
    chat = (await case.client.create_chat(CreateChat(content="hi " * 4000))).chat.id
    error = await asking.first_wait(case.client, chat)
    case.record("full context")
    if asking.busy(await case.client.chat(chat)):
        await asking.stop(case.client, chat)
        return "tried again: " + (_named(error.kind, error.message) if error else "?")
    return _failed(await asking.outcome(case.client, chat), "context_overflow")


async def wrong_model(case: Case) -> str:
    told = await ask(case.client, "hi", WRONG_NAME)
    case.record("wrong model")
    if (differs := _failed(told, "config")) != OK:
        return differs
    assert told.error is not None
    return OK if "does not know the model" in told.error.message else told.error.message[:120]


async def wrong_key(case: Case) -> str:
    told = await ask(case.client, "hi", WRONG_KEY)
    case.record("wrong key", 0)
    return _failed(told, "auth")


async def wrong_address(case: Case) -> str:
    """Check that a base_url with too long a path is reported as an address, not as a model."""
    told = await ask(case.client, "hi", ASTRAY)
    case.record("wrong address")
    if (differs := _failed(told, "config")) != OK:
        return differs
    assert told.error is not None
    return OK if "Check its base_url" in told.error.message else told.error.message[:120]


async def unanswered(case: Case) -> str:
    """Check that a chat continues after a turn without an answer, if roles must alternate."""
    await case.backend.kill()
    chat = (await case.client.create_chat(CreateChat(content="hi"))).chat.id
    await asking.first_wait(case.client, chat)
    await asking.stop(case.client, chat)
    await asking.outcome(case.client, chat)
    await case.backend.begin()
    await case.backend.ready()
    told = await ask(case.client, "are you there?", chat=chat)
    case.record("after an unanswered turn")
    return _differs(told, toy.text_of("answer"))


async def loading(case: Case) -> str:
    """Check that a server that is loading its model is retried until it responds."""
    if "heavy" not in case.backend.variants:
        return "n.a.: it listens once its model is loaded"
    await case.backend.kill()
    await case.backend.begin("heavy")
    await _listens(case.backend)
    chat = (await case.client.create_chat(CreateChat(content="hi"))).chat.id
    error = await asking.first_wait(case.client, chat)
    case.record("loading")
    # The heavy one would answer slowly; a light one answers at once.
    await case.backend.kill()
    await case.backend.begin()
    await case.backend.ready()
    told = await asking.outcome(case.client, chat)
    if error is None or error.kind != "loading":
        return "no wait" if error is None else _named(error.kind, error.message)
    return OK if told.text == toy.text_of("answer") else _differs(told, toy.text_of("answer"))


async def _listens(server: Running) -> None:
    async with asyncio.timeout(_CONNECT_S):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", server.place.port)
            except OSError:
                await asyncio.sleep(0.002)
            else:
                writer.close()
                return


async def killed(case: Case) -> str:
    """Check that of a server killed in mid-answer nothing is kept, and the answer comes later."""
    chat = (await case.client.create_chat(CreateChat(content="please count"))).chat.id
    await asking.first_word(case.client, chat)
    await case.backend.kill()
    error = await asking.first_wait(case.client, chat)
    case.record("killed")
    await case.backend.begin()
    await case.backend.ready()
    told = await asking.outcome(case.client, chat)
    if error is None and told.finish == "stop":
        return "it calls the half answer whole itself"
    if error is None:
        return f"no error, but finish {told.finish}"
    if error.kind not in ("timeout", "server_error"):
        return _named(error.kind, error.message)
    return OK if told.finish == "length" else _differs(told, "...", "length")


async def stop(case: Case) -> str:
    """Check that a stop keeps what was shown, and frees the server's slot at once."""
    chat = (await case.client.create_chat(CreateChat(content="please count"))).chat.id
    await asking.first_word(case.client, chat)
    await asking.stop(case.client, chat)
    stopped = await asking.outcome(case.client, chat)
    if stopped.finish != "interrupted" or not stopped.text:
        return f"finish {stopped.finish}"
    began = time.monotonic()
    told = await ask(case.client, "hi")
    took = time.monotonic() - began
    if took > _SOON_S:
        return f"the next answer came after {took:.0f} s"
    return _differs(told, toy.text_of("answer"))


async def two_chats(case: Case) -> str:
    """Check two chats at once, with room for one: the second waits, and is answered."""
    both = await asyncio.gather(*(ask(case.client, "please count") for _ in range(2)))
    for told in both:
        if told.finish != "length" or told.retries:
            return _differs(told, "...", "length")
    return OK


async def pool(case: Case) -> str:
    """Check two long answers in a context that is too small for both: not "too long"."""
    if "pool" not in case.backend.variants:
        return "n.a.: no context is shared"
    await case.backend.kill()
    await case.backend.begin("pool")
    await case.backend.ready()
    begun = [
        (await case.client.create_chat(CreateChat(content="please count"))).chat.id
        for _ in range(2)
    ]
    # Both fail if one has no room, and may fail again if they retry at the same time: the end
    # is chance.
    told = await asyncio.gather(*(asking.first_wait(case.client, chat) for chat in begun))
    for number, raw in enumerate(case.tap.answers):
        if b"rror" in raw:
            case.record("error in stream", number)
            break
    ends = [(await asking.outcome(case.client, chat)).finish for chat in begun if not any(told)]
    for chat in begun if any(told) else ():
        await asking.stop(case.client, chat)
    await case.backend.kill()
    await case.backend.begin()
    await case.backend.ready()
    if not any(told):
        return "it calls the half answer whole itself" if "stop" in ends else f"finish {ends}"
    wrong = [error for error in told if error and error.kind != "server_error"]
    return _named(wrong[0].kind, wrong[0].message) if wrong else OK


CASES: dict[str, Callable[[Case], Awaitable[str]]] = {
    "answer": answer,
    "reasoning": reasoning,
    "second turn": second_turn,
    "tool call": tool_call,
    "cut at limit": cut,
    "full context": full_context,
    "wrong model": wrong_model,
    "wrong key": wrong_key,
    "wrong address": wrong_address,
    "stop frees the slot": stop,
    "two chats on one slot": two_chats,
    "shared context full": pool,
    "killed in mid-answer": killed,
    "after an unanswered turn": unanswered,
    "loading": loading,
    "model without tools": no_tools,
}
