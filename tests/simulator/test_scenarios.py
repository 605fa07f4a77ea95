"""Each scenario of failures runs with the real daemon and ends as documented; a file's, too."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from failures.leases import LONG_LEASES
from palaver.client import Client, Endpoint
from palaver.demo import CONFIG, PATIENCE
from palaver.wire.chats import CreateChat
from palaverd.config.load import parse_config
from palaverd.daemon import Daemon
from palaverd.simulator import Simulator
from palaverd.simulator.faults import FAULTS
from palaverd.simulator.scenarios import SCENARIOS, Scenario, ScenarioError, scenario
from palaverd.store.rows import ChatRow
from palaverd.store.sync import load_chat
from providers.calling import call, made
from support.clock import PATIENCE_S, ManualClock
from support.daemon import make_daemon, short_dir

# For the first prompts, in order: the failures that are retried, and the end.
STORIES: dict[str, list[tuple[list[str], str]]] = {
    "rate-limited": [(["rate_limit"], "waiting")] * 2,
    "overloaded-then-fine": [(["overloaded"] * 2, "waiting")] * 2,
    "dies-mid-sentence": [(["timeout"], "waiting")] * 2,
    "bad-key": [([], "auth")] * 2,
    "too-long": [([], "context_overflow")] * 2,
    "silent": [(["silence_timeout"], "waiting")] * 2,
    "flaky-network": [
        (["timeout"], "waiting"),
        ([], "waiting"),
        (["timeout"] * 2, "waiting"),
        (["timeout"], "waiting"),
        ([], "waiting"),
        (["timeout"], "waiting"),
    ],
}


def test_every_story_is_told_here() -> None:
    assert STORIES.keys() | {"everything"} == SCENARIOS.keys()


async def play(
    daemon: Daemon, simulator: Simulator, clock: ManualClock, chat_id: str
) -> tuple[list[str], str]:
    """Wait until a chat is idle; return the failures that were retried, and its end.

    Time passes only where needed: before a retry, and when an answer is silent.
    """
    waited: list[str] = []
    seen = 0
    stalled = simulator.stalled
    async with asyncio.timeout(PATIENCE_S):
        while True:
            row: ChatRow = await daemon.database.read(lambda c: load_chat(c, chat_id))
            if row.retry is not None and row.retry.attempt > seen:
                seen = row.retry.attempt
                waited.append(row.retry.error.kind)
            if row.status == "error":
                assert row.last_error is not None
                return waited, row.last_error.kind
            if row.status == "waiting":
                return waited, "waiting"
            episode = daemon.episodes.current(chat_id)
            silent = simulator.stalled > stalled and episode is not None and episode.end > 0
            if row.retry is not None or silent:
                clock.advance(0.5)
            await asyncio.sleep(0.003)


@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_story_plays_as_it_says(name: str) -> None:
    clock = ManualClock()
    async with short_dir() as folder, Simulator(rate=0, scenario=SCENARIOS[name]) as simulator:
        # The demo's own configuration, with its timeouts.
        config = parse_config(CONFIG.format(url=simulator.url, patience=PATIENCE), "demo")
        daemon = make_daemon(folder, msgspec.structs.replace(config, worker=LONG_LEASES), clock)
        await daemon.start()
        try:
            async with Client(Endpoint(socket=daemon.socket)) as client:
                told = []
                for number in range(len(STORIES.get(name, FAULTS))):
                    sent = await client.create_chat(CreateChat(content=f"hello {number}"))
                    told.append(await play(daemon, simulator, clock, sent.chat.id))
        finally:
            await daemon.stop()
    if name == "everything":
        # Each fault has its own test elsewhere; here, every prompt comes to an end.
        assert len(told) == len(FAULTS)
        assert {kind for waited, end in told for kind in (*waited, end)} >= {
            *("overloaded", "rate_limit", "timeout", "silence_timeout", "server_error", "auth"),
            *("config", "context_overflow", "usage_limit", "content_filter", "generic", "waiting"),
        }
    else:
        assert told == STORIES[name]


def test_a_file_is_a_story(tmp_path: Path) -> None:
    path = tmp_path / "trouble.toml"
    path.write_text('does = "Overloaded, then fine"\ndirectives = ["[[529 times=2]]", ""]\n')
    found = scenario(str(path))
    assert (found.does, found.directives) == ("Overloaded, then fine", ("[[529 times=2]]", ""))


@pytest.fixture
def loading(tmp_path: Path) -> Scenario:
    path = tmp_path / "llama.toml"
    path.write_text('does = "A model that is loaded"\ndialect = "llama.cpp"\n')
    return scenario(str(path))


async def test_a_file_may_name_the_server_that_is_played(loading: Scenario) -> None:
    async with (
        Simulator(rate=0, scenario=loading, keyless=True) as simulator,
        made("openai-compatible", simulator.url) as provider,
    ):
        outcome = await call(provider, "[[loading]] [[echo]] Here.")
        assert outcome.error is not None
        assert (outcome.error.kind, outcome.error.detail) == ("loading", "Loading model")
        assert (await call(provider, "[[loading]] [[echo]] Here.")).text == "Here."


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('does = "x"\ndirectives = ["[[529 color=red]]"]', "no parameter 'color'"),
        ('does = "x"\ndirectives = ["[[error at=head]]"]', "cannot strike at 'head'"),
        ('does = "x"\ndirectives = []', "neither directives nor a dialect"),
        ('does = "x"', "neither directives nor a dialect"),
        ('does = "x"\ndialect = "y"', "there is no 'y'"),
        ('does = "x"\ndirectives = [""]\nmore = 1', "unknown field `more`"),
        ("does = ", "Invalid value"),
        (None, "No such file"),
    ],
)
def test_a_file_that_is_none_is_refused_with_a_reason(
    tmp_path: Path, text: str | None, words: str
) -> None:
    path = tmp_path / "trouble.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ScenarioError) as raised:
        scenario(str(path))
    assert str(raised.value).startswith(str(path))
    assert words in str(raised.value)


def test_an_unknown_story_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ScenarioError, match="overloaded-then-fine"):
        scenario("overlaoded")
