"""The simulator as a program: answers, counters, scenarios, pace, and its command."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from random import Random

import aiohttp
import msgspec
import pytest

from palaverd.simulator import Simulator
from palaverd.simulator.answers import compose
from palaverd.simulator.scenarios import SCENARIOS
from palaverd.simulator.topics import TOPICS
from palaverd.simulator.wire import pieces
from support.clock import ManualClock, until


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(headers={"x-api-key": "key"}) as session:
        yield session


async def ask(
    session: aiohttp.ClientSession, simulator: Simulator, text: str, **fields: object
) -> tuple[int, dict[str, object]]:
    body = {
        "model": "sim-large",
        "max_tokens": 1000,
        "messages": [{"role": "user", "content": text}],
        **fields,
    }
    async with session.post(f"{simulator.url}/v1/messages", json=body) as response:
        return response.status, await response.json(content_type=None)


def said(body: dict[str, object]) -> str:
    return str(body["content"][0]["text"])  # type: ignore[index]


async def test_a_run_repeats_with_its_seed(session: aiohttp.ClientSession) -> None:
    answers = []
    for seed in (1, 1, 2, 3, 4, 5, 6):
        async with Simulator(rate=0, seed=seed) as simulator:
            answers.append(said((await ask(session, simulator, "what about gardens?"))[1]))
    assert answers[0] == answers[1]
    assert len(set(answers)) > 1


async def test_trouble_passes_and_comes_again_for_the_same_words(
    session: aiohttp.ClientSession,
) -> None:
    async with Simulator(rate=0) as simulator:
        statuses = [(await ask(session, simulator, "[[529]] hello"))[0] for _ in range(4)]
        assert statuses == [529, 200, 529, 200]
        assert [(await ask(session, simulator, "[[401]] hello"))[0] for _ in range(3)] == [401] * 3


async def test_only_the_last_message_of_the_user_counts(session: aiohttp.ClientSession) -> None:
    async with Simulator(rate=0) as simulator:
        history = [
            {"role": "user", "content": "[[401]] hello"},
            {"role": "assistant", "content": "[[500]]"},
            {"role": "user", "content": [{"type": "text", "text": "[[echo]] fine"}]},
        ]
        status, body = await ask(session, simulator, "", messages=history)
        assert (status, said(body)) == (200, "fine")


async def test_what_comes_again_in_front_of_a_message_was_obeyed(
    session: aiohttp.ClientSession,
) -> None:
    async with Simulator(rate=0) as simulator:
        text = "[[401]] hello"
        assert (await ask(session, simulator, text))[0] == 401
        for more in ("[[403]] again", "[[echo]] fine"):
            text += f"\n\n{more}"
            status, body = await ask(session, simulator, text)
            assert status == (403 if "403" in more else 200)
        assert said(body) == "fine"
        text = "[[401]] never heard\n\n[[echo]] alone"
        assert said((await ask(session, simulator, text))[1]) == "alone"
        first = "[[echo]] two\n\nparagraphs"
        assert said((await ask(session, simulator, first))[1]) == "two\n\nparagraphs"


async def test_a_scenario_gives_each_prompt_its_trouble(session: aiohttp.ClientSession) -> None:
    async with Simulator(rate=0, scenario=SCENARIOS["overloaded-then-fine"]) as simulator:
        statuses = [(await ask(session, simulator, text))[0] for text in ("a", "a", "a", "b", "b")]
        assert statuses == [529, 529, 200, 529, 529]
        assert (await ask(session, simulator, "[[401]]"))[0] == 401


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"messages": []}, "at least one message"),
        ({"max_tokens": None}, "max_tokens"),
        ({"messages": [{"role": "system", "content": "x"}]}, "role"),
        ({"messages": [{"role": "user", "content": "[[rate=fast]]"}]}, "not a number"),
        ({"messages": 7}, "messages"),
        ({"messages": [7]}, "role"),
    ],
)
async def test_a_bad_request_is_refused_with_a_reason(
    session: aiohttp.ClientSession, fields: dict[str, object], words: str
) -> None:
    async with Simulator(rate=0) as simulator:
        status, body = await ask(session, simulator, "hello", **fields)
    assert status == 400
    assert words in str(body["error"])


async def test_without_a_good_key_nobody_is_answered() -> None:
    async with Simulator(rate=0) as simulator:
        for headers in ({}, {"x-api-key": "bad-key"}, {"Authorization": "Bearer invalid"}):
            async with aiohttp.ClientSession(headers=headers) as session:
                assert (await ask(session, simulator, "hello"))[0] == 401


async def test_requests_are_recorded(session: aiohttp.ClientSession) -> None:
    async with Simulator(rate=0) as simulator:
        await ask(session, simulator, "hello")
        (recorded,) = simulator.requests
    assert recorded.path == "/v1/messages"
    assert recorded.body["messages"][0]["content"] == "hello"


async def test_words_come_at_their_pace(session: aiohttp.ClientSession) -> None:
    clock = ManualClock()
    async with Simulator(rate=10, clock=clock) as simulator:
        body = {
            "model": "m",
            "max_tokens": 99,
            "stream": True,
            "messages": [{"role": "user", "content": "[[echo]] a b c"}],
        }
        async with session.post(f"{simulator.url}/v1/messages", json=body) as response:
            read = b""
            for number in range(3):
                await until(lambda: clock.waits())
                assert clock.waits() == [pytest.approx(0.1)]
                while read.count(b"text_delta") < number:
                    read += await response.content.readany()
                assert read.count(b"text_delta") == number
                clock.advance(0.1)
            read += await response.content.read()
        assert read.count(b"text_delta") == 3


async def test_it_ends_at_once_although_streams_wait_for_ever(
    session: aiohttp.ClientSession,
) -> None:
    async with Simulator(rate=0) as simulator:
        body = {
            "model": "m",
            "max_tokens": 99,
            "stream": True,
            "messages": [{"role": "user", "content": "[[silence]] hi"}],
        }
        response = await session.post(f"{simulator.url}/v1/messages", json=body)
    response.close()


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: min(topic.words))
def test_topics_are_found_by_their_words(topic: object) -> None:
    word = max(topic.words, key=len)  # type: ignore[attr-defined]
    assert compose(f"tell me about {word}", Random(1))


@pytest.mark.parametrize("prompt", ["", "...", "{subject} {0}", "ünïcödé 世界", "a " * 5000])
@pytest.mark.parametrize("length", [None, 1, 7, 2000])
def test_there_is_always_an_answer(prompt: str, length: int | None) -> None:
    text = compose(prompt, Random(3), length)
    assert text.strip()
    assert "{" not in text.replace("{seconds}", "").replace("{name}", "") or "```" in text
    if length is not None:
        assert len(text.split()) == length


@pytest.mark.parametrize("text", ["", "a", " a  b\n\nc ", "one two\n- three\n", "🙂 \n"])
def test_pieces_make_the_text_again(text: str) -> None:
    cut = list(pieces(text))
    assert "".join(cut) == text
    assert all(cut)


@pytest.mark.process
async def test_the_command_says_where_it_serves_and_ends_on_a_signal() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "palaverd.simulator", "--rate", "0", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(20):
        url = msgspec.json.decode(await process.stdout.readline())["url"]
        assert url.startswith("http://127.0.0.1:")
        async with aiohttp.ClientSession() as session, session.get(f"{url}/v1/models") as response:
            assert response.status == 200
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
