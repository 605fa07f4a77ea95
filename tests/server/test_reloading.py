"""A running daemon activates a changed configuration, and ignores an invalid one."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import pytest

from palaver.client import Client, Endpoint, Refused
from palaver.clock import SystemClock
from palaver.wire.chats import CreateChat
from palaver.wire.events import ConfigChanged, ListSnapshot, MessagePartEvent, StreamEvent
from palaver.wire.setup import Reloaded
from palaverd.active_config import LOOK_S, ActiveConfig
from palaverd.config.load import ConfigError
from palaverd.config.source import Loaded, Source
from palaverd.config.types import Config
from palaverd.daemon import Daemon
from palaverd.simulator import Simulator
from support.chats import events_until, history, reaches
from support.clock import ManualClock, until
from support.daemon import short_dir

CONFIG = """
[providers.sim]
kind = "anthropic"
base_url = "{url}"
api_key = "file:{key}"
[models.one]
provider = "sim"
model = "sim-large"
"""
MORE = """
[models.two]
provider = "sim"
model = "sim-small"
"""


@dataclass(frozen=True)
class Place:
    """A daemon, a client of it, and its files."""

    daemon: Daemon
    client: Client
    path: Path
    text: str

    async def names(self) -> list[str]:
        return [model.name for model in (await self.client.models()).models]

    async def problem(self) -> str | None:
        setup = (await self.client.models()).setup
        assert setup is not None
        return setup.problem


def shows_live_output(events: list[StreamEvent]) -> bool:
    return any(isinstance(event, MessagePartEvent) for event in events)


@pytest.fixture
async def place(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    # Files are read on request only: the daemon does not check them by itself.
    monkeypatch.setattr("palaverd.active_config.LOOK_S", 3600.0)
    async with short_dir() as directory, Simulator(rate=400) as simulator:
        path, key = directory / "config.toml", directory / "key"
        key.write_text("sim")
        text = CONFIG.format(url=simulator.url, key=key)
        path.write_text(text)
        source = Source(path, {}, required=True)
        loaded = await asyncio.to_thread(source.read)
        daemon = Daemon(
            directory,
            directory / "palaverd.sock",
            loaded.config,
            clock=SystemClock(),
            chance=random.Random(7),
            keys=loaded.keys,
            source=source,
        )
        await daemon.start()
        try:
            async with Client(Endpoint(socket=daemon.socket)) as client:
                yield Place(daemon, client, path, text)
        finally:
            await daemon.stop()


async def test_a_new_model_is_there_and_answers(place: Place) -> None:
    assert await place.names() == ["one"]
    place.path.write_text(place.text + MORE)
    assert await place.client.reload() == Reloaded(changed=["models.two"], restart=[])
    assert await place.names() == ["one", "two"]
    sent = await place.client.create_chat(CreateChat("[[length=3]] hello", model="two"))
    await reaches(place.client, sent.chat.id, "waiting")
    (answer,) = [m for m in (await place.client.messages(sent.chat.id)).messages if m.model]
    assert answer.model == "two"


async def test_an_answer_goes_on_through_the_provider_that_it_began_with(place: Place) -> None:
    sent = await place.client.create_chat(CreateChat("[[length=300]] hello"))
    await events_until(place.client, sent.chat.id, shows_live_output)
    old = place.daemon.configured._providers["sim"]
    place.path.write_text(place.text.replace('kind = "anthropic"', 'kind = "openai"'))
    await place.client.reload()
    assert place.daemon.configured._providers["sim"] is not old
    await reaches(place.client, sent.chat.id, "waiting")
    assert [role for role, _ in await history(place.client, sent.chat.id)] == ["user", "assistant"]
    assert (await place.client.chat(sent.chat.id)).last_error is None


async def test_a_broken_configuration_is_told_and_the_old_one_stays(place: Place) -> None:
    place.path.write_text(place.text.replace("model =", "modle ="))
    with pytest.raises(Refused) as refused:
        await place.client.reload()
    sentence = str(refused.value)
    assert refused.value.problem.code == "bad_config"
    assert sentence.startswith(f"{place.path}: there is no key models.one.modle.")
    assert "Did you mean model?" in sentence
    assert "Allowed in [models.one]: provider, model," in sentence
    assert await place.problem() == sentence
    assert await place.names() == ["one"]
    place.path.write_text(place.text + MORE)
    await place.client.reload()
    assert await place.problem() is None


async def test_what_needs_a_restart_is_named_until_it_is_taken_back(place: Place) -> None:
    place.path.write_text(place.text + "[worker]\nmax_chats = 3\nlease_seconds = 60\n")
    assert await place.client.reload() == Reloaded(
        changed=["worker.max_chats"], restart=["worker.lease_seconds"]
    )
    assert place.daemon.worker._config.max_chats == 3
    assert place.daemon.worker._config.lease_seconds == 30
    assert (await place.client.models()).setup.restart == ["worker.lease_seconds"]  # type: ignore[union-attr]
    place.path.write_text(place.text)
    assert (await place.client.reload()).restart == []


async def test_whoever_follows_the_list_is_told(place: Place) -> None:
    heard: list[object] = []

    async def listen() -> None:
        async with aclosing(place.client.watch()) as batches:
            async for events in batches:
                heard.extend(events)

    listening = asyncio.create_task(listen())
    await until(lambda: any(isinstance(event, ListSnapshot) for event in heard))
    place.path.write_text(place.text + MORE)
    await place.client.reload()
    await until(lambda: ConfigChanged() in heard)
    place.path.write_text("nonsense")
    with pytest.raises(Refused):
        await place.client.reload()
    await until(lambda: heard.count(ConfigChanged()) == 2)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


# --- changes that the daemon notices --------------------------------------------------------


@dataclass
class Watched:
    """A configuration that is checked for changes on the test's clock."""

    configured: ActiveConfig
    clock: ManualClock
    path: Path
    told: list[Config]
    idle: bool = True

    async def look(self, times: int = 1) -> None:
        """Let the files be checked so many times."""
        for _ in range(times):
            await until(lambda: self.clock.waits() == [LOOK_S])
            self.clock.advance(LOOK_S)
        await until(lambda: self.clock.waits() == [LOOK_S])

    @property
    def names(self) -> list[str]:
        return self.configured.catalog.names()


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    path, clock, told = tmp_path / "config.toml", ManualClock(), list[Config]()
    source = Source(path, {})
    configured = ActiveConfig(
        await asyncio.to_thread(source.read), clock, source=source, changed=told.append
    )
    await configured.look()
    one = Watched(configured, clock, path, told)
    watching = asyncio.create_task(configured.watch(lambda: one.idle))
    yield one
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await configured.close()


def local(tmp_path: Path) -> str:
    text = CONFIG.format(url="http://127.0.0.1:1/v1", key=tmp_path / "key")
    return text.replace("anthropic", "openai-compatible")


async def test_a_file_that_comes_is_read_once_it_is_whole(watched: Watched, tmp_path: Path) -> None:
    await watched.look(3)
    assert (watched.names, watched.told) == ([], [])
    (tmp_path / "key").write_text("k")
    watched.path.write_text(local(tmp_path)[:40])
    await watched.look()
    assert watched.told == []  # its writing may not have ended
    watched.path.write_text(local(tmp_path))
    await watched.look()
    assert watched.told == []
    await watched.look()
    assert watched.names == ["one"]
    await watched.look(3)
    assert len(watched.told) == 1
    setup = await watched.configured.setup()
    assert setup is not None
    assert (setup.config, setup.found, setup.problem) == (str(watched.path), True, None)


async def test_a_broken_file_is_told_once_and_a_mended_one_taken(
    watched: Watched, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text("k")
    watched.path.write_text(local(tmp_path).replace("base_url", "base_ulr"))
    await watched.look(5)
    setup = await watched.configured.setup()
    assert setup is not None
    assert setup.problem is not None
    assert "base_ulr" in setup.problem
    assert (watched.names, len(watched.told)) == ([], 1)
    watched.path.write_text(local(tmp_path))
    await watched.look(2)
    assert watched.names == ["one"]


async def test_a_key_whose_file_comes_later_is_taken(watched: Watched, tmp_path: Path) -> None:
    watched.path.write_text(local(tmp_path))
    await watched.look(2)
    (model,) = watched.configured.catalog.models()
    assert model.unavailable is not None
    assert model.unavailable.message == (
        f"The API key for sim cannot be used: its file {tmp_path}/key cannot be read:"
        " No such file or directory. Correct providers.sim.api_key in config.toml, and try again."
    )
    (tmp_path / "key").write_text("k")
    await watched.look(2)
    (model,) = watched.configured.catalog.models()
    assert model.unavailable is None


async def test_another_key_in_its_file_is_taken(watched: Watched, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("first")
    watched.path.write_text(local(tmp_path))
    await watched.look(2)
    before = watched.configured._providers["sim"]
    key.write_text("another")
    await watched.look(3)
    assert watched.configured._providers["sim"] is not before
    assert watched.configured._loaded.keys == {"sim": "another"}
    assert watched.configured._retired == []  # it is closed, since it is unused


async def test_a_provider_that_was_replaced_is_closed_once_no_call_uses_it(
    watched: Watched, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text("first")
    watched.path.write_text(local(tmp_path))
    await watched.look(2)
    before, watched.idle = watched.configured._providers["sim"], False
    key.write_text("another")
    await watched.look(4)
    assert watched.configured._retired == [before]
    watched.idle = True
    await watched.look()
    assert watched.configured._retired == []


async def test_a_reading_by_hand_is_not_done_again(watched: Watched, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k")
    await watched.look()
    watched.path.write_text(local(tmp_path))
    answer = await watched.configured.reload()
    assert answer.changed == ["models.one", "providers.sim"]
    await watched.look(3)
    assert len(watched.told) == 1


async def test_without_a_file_there_is_nothing_to_read_anew() -> None:
    configured = ActiveConfig(
        Loaded(Config(), {}), ManualClock(), source=None, changed=lambda _: None
    )
    assert await configured.setup() is None
    with pytest.raises(ConfigError, match="not started from a configuration file"):
        await configured.reload()
